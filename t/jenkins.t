#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for the host that writes, as conf-examples/jenkins.conf makes it: over
# TLS and with a password clients push, what they have pushed every node and
# CNCF distribution serve at once, and S3 is asked for no more than is needed.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use JSON::PP ();
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::Distribution;
use Test::Registry::Gateway;
use Test::Registry::Image;
use Test::Registry::Tools qw/
    skopeo skopeo_push skopeo_pull crane oras
/;
use Test::Registry::Util qw/ temp_dir need read_file write_file /;

###############################################################################

need(qw/ skopeo crane oras docker-registry registry IO::Socket::SSL /);

my $s3 = Test::Registry::Gateway->new(local => 1);
my $t = Test::Registry->jenkins($s3, jenkins => 'sesame');
my $host = '127.0.0.1:' . $t->port;
my $node = Test::Registry->node($s3);
my ($status, $output, $r);

# what asks for the password

my $client = $t->client(tls => 1);
my @password = (Authorization => 'Basic amVua2luczpzZXNhbWU=');
my @wrong = (Authorization => 'Basic amVua2luczp3cm9uZw==');

for (
    [ GET => '/v2/', [], 401 ],
    [ GET => '/v2/', \@password, 200 ],
    [ GET => '/v2/', \@wrong, 401 ],
    [ GET => '/v2/team/app/tags/list', [], 404 ],
    [ HEAD => '/v2/team/app/manifests/v1', [], 404 ],
    [ POST => '/v2/team/app/blobs/uploads/', [], 401 ],
    [ POST => '/v2/team/app/blobs/uploads/', \@wrong, 401 ],
    [ POST => '/v2/team/app/blobs/uploads/', \@password, 202 ],
    [ PUT => '/v2/team/app/manifests/v1', [], 401 ],
    [ DELETE => '/v2/team/app/manifests/v1', [], 401 ],
    [ PATCH => '/v2/team/app/blobs/uploads/x', [], 401 ],
) {
    my ($method, $path, $headers, $expected) = @$_;
    my $name = "$method $path" . (!@$headers ? ''
        : $headers == \@wrong ? ', wrong password' : ', password');

    $r = $client->request($method, $path, headers => $headers,
        $method =~ /^(?:GET|HEAD|DELETE)$/ ? () : (body => ''));
    is($r->status, $expected, $name);
    next if $expected != 401;

    is($r->header('WWW-Authenticate'), 'Basic realm="registry"',
        "$name - asks");
    like($r->header('Content-Type'), qr{^application/json}, "$name - type");
    is(JSON::PP->new->decode($r->body)->{errors}[0]{code}, 'UNAUTHORIZED',
        "$name - code");
}

($status, $output) = skopeo('copy',
    Test::Registry::Image->new(layers => [ 10 ])->write_dir(temp_dir('nopw')),
    "docker://$host/team/nopw:v1");
isnt($status, 0, 'skopeo without a password');
like($output, qr/unauthorized|authentication required/i,
    'skopeo without a password - says so');

# docker, podman and crane log in before they push, skopeo is told each time

($status, $output) = crane(qw/ auth login -u jenkins -p sesame /, $host);
is($status, 0, 'crane auth login') or diag $output;

($status, $output) = oras(temp_dir('work'), qw/ login -u jenkins -p wrong /,
    $host);
isnt($status, 0, 'oras login with a wrong password');
like($output, qr/unauthorized/i, 'oras login with a wrong password - says so');

($status, $output) = oras(temp_dir('work'), qw/ login -u jenkins -p sesame /,
    $host);
is($status, 0, 'oras login') or diag $output;

# skopeo, all platforms

my $amd = Test::Registry::Image->new(layers => [ 1000, 3_000_000, 12_000_000 ]);
my $arm = Test::Registry::Image->new(layers => [ 2000, 9_000_000 ],
    architecture => 'arm64');
my %images = (
    oci => $amd, multi => Test::Registry::Image->index($amd, $arm),
    docker => Test::Registry::Image->new(layers => [ 5000 ],
        type => 'docker'),
);

for my $name (sort keys %images) {
    ($status, $output) = push_image($images{$name}, "team/$name:v1");
    is($status, 0, "skopeo pushes $name") or diag $output;
    is(pulled($node->port, $name), '', "node serves $name");
}

# crane

for (
    [ 'crane copy', 'copy', "$host/team/multi:v1", "$host/crane/multi:v1" ],
    [ 'crane tag', 'tag', "$host/crane/multi:v1", 'v2' ],
    [ 'crane append', 'append', '--oci-empty-base', '-f', tar_file(), '-t',
        "$host/crane/app:v1" ],
) {
    my ($name, @args) = @$_;

    ($status, $output) = crane(@args);
    is($status, 0, $name) or diag $output;
}

for my $reference ('crane/multi:v1', 'crane/multi:v2', 'crane/app:v1') {
    ($status, $output) = crane('validate', '--remote', '127.0.0.1:'
        . $node->port . "/$reference");
    is($status, 0, "crane validates $reference from a node") or diag $output;
}

($status, $output) = crane('delete', "$host/crane/app:v1");
is($status, 0, 'crane deletes a tag') or diag $output;
is($client->get('/v2/crane/app/manifests/v1')->status, 404,
    'crane deletes a tag - gone at once');

# oras: an artifact, what is attached to it, and who finds it

my $work = temp_dir('work');
my $from = '127.0.0.1:' . $node->port;

write_file("$work/letter.txt", "hello\n");
write_file("$work/sbom.json", '{"packages":[]}');

($status, $output) = oras($work, 'push', "$host/oras/letter:v1",
    '--artifact-type', 'application/vnd.test.letter', 'letter.txt');
is($status, 0, 'oras push') or diag $output;

($status, $output) = oras($work, 'attach', "$host/oras/letter:v1",
    '--artifact-type', 'application/vnd.test.sbom', 'sbom.json');
is($status, 0, 'oras attach') or diag $output;

for my $where ([ 'the writer', $host ], [ 'a node', $from, '--plain-http' ]) {
    my ($name, $registry, @options) = @$where;

    ($status, $output) = oras($work, 'discover', @options, '--format', 'json',
        '--distribution-spec', 'v1.1-referrers-api',
        "$registry/oras/letter:v1");
    is($status, 0, "oras discover from $name") or diag $output;

    my @found = grep { $_->{artifactType} eq 'application/vnd.test.sbom' }
        @{(eval { JSON::PP->new->decode($output =~ /(\{.*\})/s) } // {})
            ->{referrers} // []};
    is(scalar(@found), 1, "oras discover from $name - found") or diag $output;

    my $to = temp_dir("oras-$name" =~ s/ /-/gr);
    ($status, $output) = oras($to, 'pull', @options,
        "$registry/oras/letter:v1");
    is($status, 0, "oras pull from $name") or diag $output;
    is(read_file("$to/letter.txt"), "hello\n", "oras pull from $name - bytes");
}

# CNCF distribution on the same bucket, both versions: the same images

my @programs = ([ 2 => 'docker-registry' ], [ 3 => 'registry' ]);

for (@programs) {
    my ($version, $program) = @$_;
    my $other = Test::Registry::Distribution->new($s3, program => $program);
    my $name = "distribution $version";

    is(pulled($other->port, $_), '', "$name serves $_ that we pushed")
        for sort keys %images;

    for my $reference ('crane/multi:v2', 'oras/letter:v1') {
        is((crane('digest', '127.0.0.1:' . $other->port . "/$reference"))[1],
            (crane('digest', "$host/$reference"))[1], "$name - $reference");
    }

    for my $path ('multi/tags/list', 'docker/tags/list') {
        is_deeply(json(
            $t->client(port => $other->port)->get("/v2/team/$path")), json($client->get("/v2/team/$path")),
            "$name - $path");
    }

    # and the other way round: new ones, and tags of ours that it moves

    my $image = Test::Registry::Image->index(map {
        Test::Registry::Image->new(layers => [ 3000, 6_000_000 ],
            architecture => $_) } qw/ amd64 arm64 /);
    my $dir = $image->write_dir(temp_dir("by-$version"));

    for my $to ("by-$version:v1", 'oci:v1', "oci:v$version") {
        ($status, $output) = skopeo_push($dir, $other->port, "team/$to");
        is($status, 0, "$name pushes $to") or diag $output;

        is(pulled($node->port, $to, $image), '', "node serves $to of $name");
        is(pulled($t->port, $to, $image), '', "writer serves $to of $name");
    }

    ($status, $output) = push_image($images{oci}, 'team/oci:v1');
    is($status, 0, "$name - our tag moved back") or diag $output;
    is(pulled($other->port, 'oci'), '', "$name - serves the tag moved back");

    # what the collector of garbage would keep; the one of version 2 ends with
    # an error on a bucket of its own, too, when it has marked everything

    $other->stop();
    ($status, $output) = $other->garbage_collect();
    is($status, 0, "$name garbage-collect") or diag $output
        if $version != 2;

    my %marked = map { $_ => 1 }
        $output =~ /marking (?:manifest|blob|configuration) (sha256:\w+)/g;
    my @lost = grep { !$marked{$_} } map { my $i = $_;
        map { ($_->digest, map { $_->{digest} } $_->blobs) } $i->manifests }
        values %images, $image;

    is("@lost", '', "$name garbage-collect - keeps all that is tagged")
        or diag $output;
    unlike($output, qr/blob eligible for deletion: (?:@{[ join '|', map {
        $_->digest } values %images ]})/, "$name garbage-collect - nothing");
}

# what a push costs

for (
    [ '1 MiB', 1024 * 1024, 12 ],
    [ '64 MiB', 64 * 1024 * 1024, 22 ],
) {
    my ($name, $size, $most) = @$_;
    my $image = Test::Registry::Image->new(layers => [ $size ]);
    my $reference = 'cost/' . lc($name =~ s/ //r) . ':v1';

    for my $time ([ "push of $name", $most ], [ "$name again", 6 ]) {
        $s3->forget();
        ($status, $output) = push_image($image, $reference);
        is($status, 0, $time->[0]) or diag $output;
        cmp_ok($s3->count(), '<=', $time->[1], "$time->[0] - requests")
            or diag requests();
        note("$time->[0]: ", $s3->count(), " requests to S3\n", requests());
    }
}

is(join(' ', $s3->uploads), '', 'no multipart upload left open');

finish();

###############################################################################

sub push_image {
    my ($image, $reference) = @_;

    return skopeo('copy', '--all', '--preserve-digests',
        '--dest-creds', 'jenkins:sesame',
        $image->write_dir(temp_dir('push/' . $image->digest)),
        "docker://$host/$reference");
}


# What is wrong with an image that a registry gives.

sub pulled {
    my ($port, $name, $image) = @_;

    my $dir = temp_dir('pull/' . $port . '/' . rand());
    my $tls = $port == $t->port ? '--src-tls-verify=true'
        : '--src-tls-verify=false';
    my $reference = $name =~ /:/ ? $name : "$name:v1";

    # a node may know the tag as it was a moment ago

    select undef, undef, undef, 2.1 if $port == $node->port;

    my ($status, $output) = skopeo_pull($port, "team/$reference", $dir, $tls);
    return $status ? $output : ($image // $images{$name})->compare_dir($dir);
}


sub json { return JSON::PP->new->decode($_[0]->body) }


sub tar_file {
    my $layer = Test::Registry::Image::layer([ 'etc/motd', "welcome\n" ]);
    return $layer->{file};
}


sub requests {
    return map { "$_->{operation} $_->{key} $_->{target}\n" }
        $s3->requests();
}

###############################################################################
