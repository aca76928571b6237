#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for the local store: the directory of CNCF distribution, served, added
# to, and served by distribution again; files as they lie there; ranges; what
# is damaged, not readable, or not where it should be.

###############################################################################

use warnings;
use strict;

use Test::More;

use Digest::SHA qw/ sha256_hex /;
use File::Find qw/ find /;
use FindBin;
use JSON::PP ();
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::Audit qw/ audit /;
use Test::Registry::Directory;
use Test::Registry::Distribution;
use Test::Registry::Image;
use Test::Registry::Layout;
use Test::Registry::Tools qw/ skopeo_push skopeo_pull /;
use Test::Registry::Util qw/
    need random_bytes read_file run_command temp_dir wait_for write_file
/;

###############################################################################

need(qw/ skopeo docker-registry registry /);

my $type = 'application/vnd.oci.image.manifest.v1+json';
my %images = map { $_ => Test::Registry::Image->new(layers => [ 1000,
    2_000_000 ]) } qw/ theirs ours /;
my $list = Test::Registry::Image->index(map { Test::Registry::Image->new(
    layers => [ 3000 ], architecture => $_) } qw/ amd64 arm64 /);

# distribution has been there first, version 2 and version 3

for my $program ('docker-registry', 'registry') {
    my $store = Test::Registry::Directory->new();
    my $other = Test::Registry::Distribution->new($store,
        program => $program);

    pushed($other->port, 'theirs:v1', $images{theirs}, $program);
    pushed($other->port, 'list:v1', $list, $program);
    $other->stop();

    my %before = tree($store->path);

    # a reader, and one that writes

    my $reader = Test::Registry->node($store);
    my $writer = writer($store);

    for my $t ($reader, $writer) {
        my $name = $t == $reader ? "reader of $program"
            : "writer beside $program";

        is(pulled($t->port, 'theirs:v1', $images{theirs}), '',
            "$name - an image");
        is(pulled($t->port, 'list:v1', $list), '', "$name - an index");
        is_deeply(json($t->get('/v2/_catalog')),
            { repositories => [ qw{ team/list team/theirs } ] },
            "$name - catalogue");
        is_deeply(json($t->get('/v2/team/theirs/tags/list')),
            { name => 'team/theirs', tags => [ 'v1' ] }, "$name - tags");
    }

    is_deeply({ tree($store->path) }, \%before,
        "$program - reading changes nothing");

    # more of it: a new repository, and a tag that is moved

    pushed($writer->port, 'ours:v1', $images{ours}, 'writer');
    pushed($writer->port, 'theirs:v1', $images{ours}, 'writer');
    pushed($writer->port, 'theirs:v0', $images{theirs}, 'writer');

    is(pulled($reader->port, 'theirs:v1', $images{ours}), '',
        "$program - a reader sees a tag that was moved, at once");
    is(join("\n", audit($store)), '', "$program - the store is true");

    my $again = Test::Registry::Distribution->new($store,
        program => $program);

    is(pulled($again->port, $_->[0], $_->[1]), '', "$program again - $_->[0]")
        for [ 'theirs:v0', $images{theirs} ], [ 'theirs:v1', $images{ours} ],
            [ 'ours:v1', $images{ours} ], [ 'list:v1', $list ];
    is_deeply([ sort @{json($reader->client(port => $again->port)
        ->get('/v2/team/theirs/tags/list'))->{tags}} ], [ qw/ v0 v1 / ],
        "$program again - tags");

    # a tag that was deleted is not listed, a manifest is gone for both

    is($writer->request('DELETE', '/v2/team/theirs/manifests/v0')->status,
        202, "$program - a tag is deleted");
    is_deeply(json($reader->client(port => $again->port)
        ->get('/v2/team/theirs/tags/list')),
        { name => 'team/theirs', tags => [ 'v1' ] },
        "$program - does not list a tag that was deleted");
    pushed($again->port, 'theirs:v0', $images{theirs}, $program);
    is(pulled($writer->port, 'theirs:v0', $images{theirs}), '',
        "$program - and pushes it again");

    $again->stop();
    my ($status, $output) = $again->garbage_collect();
    is($status, 0, "$program garbage-collect") or diag $output;
    unlike($output, qr/blob eligible for deletion: (?:@{[ join '|', map {
        $_->digest } values %images, $list ]})/,
        "$program garbage-collect - nothing that is tagged");

    $_->stop() for $reader, $writer;
}

# byte for byte: an image pushed to either has the same files

my $theirs = Test::Registry::Directory->new();
my $other = Test::Registry::Distribution->new($theirs);

pushed($other->port, 'ours:v1', $images{ours}, 'distribution');
$other->stop();

my $store = Test::Registry::Directory->new();
my $t = writer($store);

pushed($t->port, 'ours:v1', $images{ours}, 'writer');
is_deeply({ files($store->path) }, { files($theirs->path) },
    'the same files as distribution has');

# what others may do with them

my %tree = tree($store->path);
my @modes = map { sprintf '%04o', (stat "$_")[2] & 07777 }
    "$store->{path}/docker", (grep { m{/data$} } map { "$store->{path}/$_" }
        keys %tree)[0];
is("@modes", '0775 0664', 'modes of directories and files');

# ranges are read where they are

my $blob = random_bytes(3_000_000, 'ranges');
my $digest = 'sha256:' . sha256_hex($blob);

is($t->request('POST', "/v2/team/r/blobs/uploads/?digest=$digest",
    body => $blob)->status, 201, 'a blob');

for (
    [ 'bytes=0-99' => 206, 0, 100 ],
    [ 'bytes=2999999-' => 206, 2_999_999, 1 ],
    [ 'bytes=-500' => 206, 2_999_500, 500 ],
    [ 'bytes=1000000-1999999' => 206, 1_000_000, 1_000_000 ],
    [ 'bytes=0-9999999' => 206, 0, 3_000_000 ],
    [ 'bytes=0-1,5-6' => 200, 0, 3_000_000 ],
    [ 'bytes=3000000-' => 416 ], [ 'bytes=9-5' => 416 ], [ 'bytes=-0' => 416 ],
) {
    my ($range, $status, $start, $length) = @$_;
    my $r = $t->get("/v2/team/r/blobs/$digest", Range => $range);

    is($r->status, $status, $range);
    is($r->body, substr($blob, $start, $length), "$range - bytes")
        if defined $start;
    is($r->header('Content-Range'), $status == 206 ? "bytes $start-"
        . ($start + $length - 1) . '/3000000' : 'bytes */3000000',
        "$range - Content-Range") if $status != 200;
}

my $r = $t->head("/v2/team/r/blobs/$digest");
is($r->header('Content-Length'), 3_000_000, 'HEAD');
is($t->request('POST', '/v2/team/r/blobs/uploads/?digest=sha256:'
    . sha256_hex(''), body => '')->status, 201, 'an empty blob');
$r = $t->get('/v2/team/r/blobs/sha256:' . sha256_hex(''));
is($r->status . $r->body, '200', 'an empty blob - GET');

# a link is followed, as nginx follows links

my $key = Test::Registry::Layout->new($store)->blob_key($digest);
my $aside = temp_dir('aside');
rename "$store->{path}/$key", "$aside/data";
symlink "$aside/data", "$store->{path}/$key";
is($t->get("/v2/team/r/blobs/$digest")->body, $blob, 'a symbolic link');

# what the disk has changed is not served, and pushing it again mends it

my $layout = Test::Registry::Layout->new($store);
my $json = qq({"schemaVersion":2,"mediaType":"$type","config":{"mediaType":)
    . qq("application/vnd.oci.image.config.v1+json","digest":"$digest",)
    . '"size":3000000},"layers":[]}';
my $manifest = 'sha256:' . sha256_hex($json);
my @put = ('PUT', '/v2/team/r/manifests/v1', body => $json,
    headers => [ 'Content-Type', $type ]);

is($t->request(@put)->status, 201, 'a manifest');
write_file("$store->{path}/" . $layout->blob_key($manifest), 'x' x length $json);

$r = $t->get('/v2/team/r/manifests/v1');
is($r->status, 502, 'a damaged manifest');
like($r->body, qr/does not match digest/, 'a damaged manifest - says so');
ok($t->wait_log(qr/local store GET of .* in directory .* failed: content does not match digest/, 3),
    'a damaged manifest - log');
is($t->request(@put)->status, 201, 'a damaged manifest - pushed again');
is($t->get('/v2/team/r/manifests/v1')->body, $json,
    'a damaged manifest - mended');

# a blob that a crash of somebody else has left short

open my $fh, '>:raw', "$aside/short" or die;
print $fh substr $blob, 0, 1000;
close $fh;
unlink "$store->{path}/$key";
rename "$aside/short", "$store->{path}/$key";
is($t->request('POST', "/v2/team/r/blobs/uploads/?digest=$digest",
    body => $blob)->status, 201, 'a short blob - pushed again');
is($t->get("/v2/team/r/blobs/$digest")->body, $blob, 'a short blob - mended');

# a blob of another repository is not served, manifests neither

is($t->get("/v2/other/blobs/$digest")->code, 'BLOB_UNKNOWN',
    'a blob of another repository');
is($t->get("/v2/other/manifests/$manifest")->code, 'MANIFEST_UNKNOWN',
    'a manifest of another repository');

my $reader = Test::Registry->node($store);
is($reader->get("/v2/other/manifests/$manifest")->code, 'MANIFEST_UNKNOWN',
    'a manifest of another repository, from a reader');
is($reader->request('PUT', '/v2/team/r/manifests/v2', body => $json)->status,
    405, 'a reader does not write');

# names like those of files that nginx knows

for my $tag (qw/ index.html current link _x data A.b-c /) {
    is($t->request('PUT', "/v2/team/r/manifests/$tag", body => $json,
        headers => [ 'Content-Type', $type ])->status, 201, "tag $tag");
    is($t->get("/v2/team/r/manifests/$tag")->body, $json, "tag $tag - GET");
}

is_deeply(json($t->get('/v2/team/r/tags/list'))->{tags},
    [ sort qw/ v1 index.html current link _x data A.b-c / ],
    'tags with such names');

# what leads elsewhere is no name

mkdir "$store->{path}/docker/registry/v2/repositories/Upper";
write_file("$aside/secret", 'secret');

for my $path ('/v2/../../../etc/passwd', '/v2/%2e%2e/%2e%2e/tags/list',
    '/v2/team/..%2f..%2f/tags/list', '/v2/team/r/manifests/..',
    '/v2/team/r/manifests/%2e%2e%2fv1', '/v2/team/r/blobs/sha256:../../x',
    '/v2/team%00/tags/list', '/registry_dav/direct/docker/',
    '/registry_dav/write/docker/x')
{
    my $r = $t->request('GET', $path);
    like($r->status, qr/^4\d\d$/, $path);
    unlike($r->body, qr/root:|secret/, "$path - nothing of it");
}

is($t->request('PUT', '/registry_dav/write/x', body => 'x')->status, 404,
    'the internal locations are internal');
ok(!-e "$store->{path}/x", 'nothing is written by them');

# files that nobody may read

SKIP: {
    skip 'needs a user who may not do everything', 5 if $> != 0;

    my $closed = Test::Registry::Directory->new();
    Test::Registry::Layout->new($closed)->manifest('team/app', $json, 'v1');
    run_command([qw/ chmod go+x /, temp_dir()]);

    my $nobody = Test::Registry->node($closed, location => 'registry_push on;
        registry_upload_path %%dir%%/uploads;', nobody => 1);

    run_command([qw/ chmod -R go+rX /, $closed->path]);
    is($nobody->get('/v2/team/app/manifests/v1')->status, 200, 'readable');

    $r = $nobody->request('POST', "/v2/team/app/blobs/uploads/?digest=$digest",
        body => $blob);
    is($r->status, 502, 'a directory that cannot be written');
    like($r->body, qr/permission denied.*registry_dav_path/,
        'a directory that cannot be written - what to do');

    run_command([qw/ chmod -R go-rwx /, $closed->path . '/docker/registry/v2/'
        . 'repositories']);
    $r = $nobody->get('/v2/team/app/manifests/v1');
    is($r->status, 502, 'files that cannot be read');
    like($r->body, qr/permission denied.*registry_dav_path/,
        'files that cannot be read - what to do');

    $nobody->expect_log(qr/\[crit\].*mkdir\(\)/);
    $nobody->stop();
}

# beside whatever an nginx.conf has for its sites

my $hostile = writer($store, http => '
    error_page 403 404 500 502 503 /error.html;
    index index.html current link;
    open_file_cache max=100 inactive=60s;
    open_file_cache_valid 60s;
    autoindex_format xml;
    gzip on; gzip_types *; gzip_min_length 1;
    sendfile off;
    etag on; log_not_found on;
    default_type text/html;', server => 'root /; autoindex off;');

is($hostile->get('/v2/team/r/manifests/none')->code, 'MANIFEST_UNKNOWN',
    'hostile nginx.conf - what is not there');
is_deeply(json($hostile->get('/v2/team/r/tags/list'))->{tags},
    json($t->get('/v2/team/r/tags/list'))->{tags},
    'hostile nginx.conf - tags');
is($hostile->get("/v2/team/r/blobs/$digest", 'Accept-Encoding' => 'gzip')
    ->body, $blob, 'hostile nginx.conf - blob');
is($hostile->get("/v2/team/r/blobs/$digest", Range => 'bytes=-9')->body,
    substr($blob, -9), 'hostile nginx.conf - range');
is($hostile->request('PUT', '/v2/team/r/manifests/v1', body => "$json ",
    headers => [ 'Content-Type', $type ])->status, 201,
    'hostile nginx.conf - PUT');
is($hostile->get('/v2/team/r/manifests/v1')->body, "$json ",
    'hostile nginx.conf - the tag was moved');
is($t->get('/v2/team/r/manifests/v1')->body, "$json ",
    'and so everybody sees it');

# tags that are never moved, whoever writes

my @immutable = map { writer($store, registry => 'registry_tags immutable;',
    uploads => "$store->{path}/../uploads") } 1, 2;
my %seen;

for my $round (1 .. 20) {
    my @r = Test::Registry::Client::together(map { my $i = $_;
        [ $immutable[$i % 2]->client, 'PUT', "/v2/team/r/manifests/once-$round",
            body => $json . ' ' x $i, headers => [ 'Content-Type', $type ] ] }
        0 .. 3);
    $seen{join ' ', sort map { $_->status } @r}++;
}

is_deeply(\%seen, { '201 409 409 409' => 20 },
    'immutable tags - one of those who create it');

is(join("\n", audit($store)), '', 'the store is true');

# what cannot be

for (
    [ 'no path', '', qr/"registry_store dav" needs "registry_dav_path/ ],
    [ 'the root', 'registry_dav_path /;', qr/cannot be "\/"/ ],
    [ 'a file', "registry_dav_path $aside/secret;", qr/is not a directory/ ],
    [ 'uploads elsewhere', "registry_dav_path $store->{path}; registry_push "
        . 'on; registry_upload_path /dev/shm/registry-uploads;',
        qr/must be on the file system of "registry_dav_path/ ],
    [ 'another store', "registry_store nfs x;", qr/it is "s3" or "dav"/ ],
    [ 'no include', "registry_dav_path $store->{path};",
        qr/needs "include registry_dav\.conf;"/, '' ],
    [ 'the wrong include', "registry_dav_path $store->{path};",
        qr/there is no location "\/registry_dav\/direct\/".*registry_dav\.conf/,
        '%%include:http%%' ],
) {
    my ($name, $directives, $message, $http) = @$_;
    my $bad = Test::Registry->new(s3 => $store)->expect_log(qr/\[emerg\]/);
    my $include = !defined $http ? '%%include:dav%%'
        : length $http ? '%%include:server%%' : '';
    $http //= '';

    $bad->conf(<<"CONF");
%%main%%
events {}
http {
    $http
    server {
        listen 127.0.0.1:%%port%%;
        $include
        @{[ $directives =~ /registry_store/ ? '' : 'registry_store dav registry_dav;' ]}
        $directives
        location /v2/ { registry on; }
    }
}
CONF
    my ($status, $output) = $bad->test_conf();
    isnt($status, 0, "$name - refused");
    like($output, $message, "$name - says why");
}

# the example that is shipped, as it is

my $shipped = Test::Registry->new();
my $dir = $shipped->dir;

$shipped->example('standalone.conf');
$shipped->conf(<<"CONF")->start();
%%main%%
events {}
http {
    client_body_temp_path $dir/temp/c;
    proxy_temp_path $dir/temp/p;
    access_log $dir/access.log;
    include $dir/conf.d/*.conf;
}
CONF

pushed($shipped->port, 'ours:v1', $images{ours}, 'standalone.conf');
is(pulled($shipped->port, 'ours:v1', $images{ours}), '',
    'standalone.conf - an image');
is(sprintf('%04o', (stat "$dir/registry")[2] & 07777), '0700',
    'standalone.conf - the directory is made');

finish();

###############################################################################

sub json { return JSON::PP->new->decode($_[0]->body) }


sub writer {
    my ($store, %opt) = @_;

    my $uploads = delete $opt{uploads} // '%%dir%%/uploads';
    return Test::Registry->node($store, workers => 2, %opt, location => "
        registry_push on;
        registry_upload_path $uploads;
        client_max_body_size 0;");
}


sub pushed {
    my ($port, $name, $image, $who) = @_;

    my ($status, $output) = skopeo_push($image->write_dir(
        temp_dir('push/' . $image->digest)), $port, "team/$name");
    is($status, 0, "$who - $name is pushed") or diag $output;
    return;
}


# What is wrong with an image that a registry gives.

sub pulled {
    my ($port, $name, $image) = @_;

    my $dir = temp_dir("pull/$port/" . rand());
    my ($status, $output) = skopeo_pull($port, "team/$name", $dir);
    return $status ? $output : $image->compare_dir($dir);
}


# All below a directory, with size and time of files.

sub tree {
    my ($path) = @_;

    my %tree;
    find({ no_chdir => 1, wanted => sub {
        $tree{substr $_, length($path) + 1} = -f $_
            ? join ' ', (stat _)[7, 9] : 'directory' if $_ ne $path;
    } }, $path);
    return %tree;
}


# All files that are not of an upload, with what they have.

sub files {
    my ($path) = @_;

    my %tree = tree($path);
    return map { $_ => sha256_hex(read_file("$path/$_")) }
        grep { $tree{$_} ne 'directory' && !m{/_uploads/} } keys %tree;
}

###############################################################################
