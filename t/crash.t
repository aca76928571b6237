#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for pushes that break off: at each step of blobs and manifests, by the
# end of a worker, of nginx, of the client, by an S3 that refuses, is silent or
# gone.  Whatever happens, the bucket is true, and pushing again succeeds.

###############################################################################

use warnings;
use strict;

use Test::More;

use Digest::SHA qw/ sha256_hex /;
use FindBin;
use POSIX qw/ _exit /;
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::Audit qw/ audit /;
use Test::Registry::S3;
use Test::Registry::Util qw/ random_bytes temp_dir wait_for /;

###############################################################################

my $type = 'application/vnd.oci.image.manifest.v1+json';
my $filler = random_bytes(17 << 20, 'layer');

my $s3 = Test::Registry::S3->new();
my $uploads = temp_dir('uploads');
my $t = Test::Registry->node($s3, workers => 2, timeout => 2, location => "
    registry_push on;
    registry_upload_path $uploads;
    registry_upload_expires 8s;
    client_max_body_size 0;");

$t->expect_log(qr/worker process \d+ exited on signal 9/);

# where pushes are stopped: method and the end of the path

my @steps = (
    [ 'config data' => 'PUT', 'config', 'data' ],
    [ 'config link' => 'PUT', 'config', 'link' ],
    [ 'look for the layer' => 'HEAD', 'layer', 'data' ],
    [ 'create multipart upload' => 'POST', 'layer', 'data', qr/^uploads=/ ],
    [ 'first part' => 'PUT', 'layer', 'data', qr/partNumber=1&/ ],
    [ 'second part' => 'PUT', 'layer', 'data', qr/partNumber=2&/ ],
    [ 'complete multipart upload' => 'POST', 'layer', 'data',
        qr/^uploadId=/ ],
    [ 'layer link' => 'PUT', 'layer', 'link' ],
    [ 'manifest data' => 'PUT', 'manifest', 'data' ],
    [ 'revision' => 'PUT', 'manifest', 'revision' ],
    [ 'tag index' => 'PUT', 'manifest', 'index' ],
    [ 'tag' => 'PUT', 'manifest', 'current' ],
);

my %events = (
    'worker killed' => sub { kill 'KILL', $t->workers() },
    'nginx killed' => sub { kill_all() },
    'client gone' => sub { $_[0]->stop('KILL') },
    'S3 gone' => sub { $s3->stop() },
);

# what S3 answers instead

my %answers = (
    'S3 refuses' => { error => 'AccessDenied' },
    'S3 fails' => { error => 'InternalError', times => 4 },
    'answer cut' => { cut_header => 20, times => 1 },
);

my $n = 0;

for my $step (@steps) {
    for my $event (sort keys %events) {
        for my $applied (0, 1) {
            next if $applied && $step->[1] eq 'HEAD';
            broken($step, $event, $applied);
        }
    }

    answered($step, $_) for sort keys %answers;
}

# uploads that nobody ended

ok(wait_for(sub { !$s3->uploads }, 30), 'no multipart upload is left open')
    or diag join ' ', $s3->uploads;
ok(wait_for(sub { !sessions() }, 30), 'no session is left on the disk')
    or diag join ' ', sessions();

promised($_) for 'worker killed', 'nginx killed', 'client gone';

is(join("\n", audit($s3)), '', 'the bucket is true');

finish();

###############################################################################

# nginx waits for S3 at a step, which is done or not, and something ends.

sub broken {
    my ($step, $event, $applied) = @_;

    my $name = "$event at $step->[0], " . ($applied ? 'done' : 'not done');
    my $image = image($step);
    my %match = match($image, $step);

    $s3->fault(%match, hang => 1, times => 1,
        $applied ? () : (status => 500));

    my $seen = $s3->count(%match{qw/ method key /});
    my $client = Test::Registry::Util::spawn(sub { push_image($image) });

    ok($s3->wait_request($seen + 1, requests_of(\%match)), "$name - it waits");
    $events{$event}->($client);

    wait_for(sub { !$client->alive }, 15);
    $client->stop('KILL');
    $s3->clear_faults();
    $s3->start() if $event eq 'S3 gone';

    again($image, $name);
}


sub answered {
    my ($step, $event) = @_;

    my $name = "$event at $step->[0]";
    my $image = image($step);

    $s3->fault(match($image, $step), %{$answers{$event}});

    my $wrong = push_image($image);

    # what may be retried is

    $event eq 'S3 refuses' ? like($wrong, qr/: 502$/, $name)
        : $event eq 'answer cut' ? is($wrong, '', $name)
        : like($wrong, qr/^$|: 503$/, $name);

    $s3->clear_faults();
    again($image, $name);
}


sub again {
    my ($image, $name) = @_;

    my $up = wait_for(sub { $t->get('/v2/')->status == 200 }, 10);
    my @wrong = audit($s3);

    is(join("\n", @wrong), '', "$name - the bucket is true");

    my $wrong = push_image($image);
    is($wrong, '', "$name - pushed again");

    my $r = $t->get("/v2/$image->{repository}/manifests/v1");
    is($r->body, $image->{manifest}, "$name - manifest");

    $r = $t->client->request('GET', "/v2/$image->{repository}/blobs/"
        . digest($image->{layer}), digest => 1);
    is($r->sha256, sha256_hex($image->{layer}), "$name - layer");
    return;
}

###############################################################################

# Bytes that a PATCH was told to be there are there.

sub promised {
    my ($event) = @_;

    my $content = random_bytes(3 << 20, "promised $event");
    my @part = (substr($content, 0, 1 << 20), substr($content, 1 << 20,
        1 << 20), substr $content, 2 << 20);

    my $r = $t->request('POST', '/v2/crash/promised/blobs/uploads/',
        body => '');
    my $session = path($r);

    $r = $t->request('PATCH', $session, body => $part[0]);
    is($r->status, 202, "$event - first part");

    # the next one breaks off in the middle

    my $client = $t->client;
    my $socket = $client->connect();
    $client->write_all($socket, "PATCH $session HTTP/1.1\r\nHost: a\r\n"
        . 'Content-Length: ' . length($part[1]) . "\r\n\r\n"
        . substr $part[1], 0, 500_000);
    select undef, undef, undef, 0.2;

    $event eq 'worker killed' ? kill('KILL', $t->workers())
        : $event eq 'nginx killed' ? kill_all() : ();
    close $socket;

    wait_for(sub { $t->get('/v2/')->status == 200 }, 10);

    my $last;
    wait_for(sub {
        $r = $t->get($session);
        ($last) = ($r->header('Range') // '') =~ /^0-(\d+)$/;
        return $r->status == 204
            && ($event ne 'client gone' || $last + 1 > length $part[0]);
    }, 5);

    is($r->status, 204, "$event - the session is there");
    cmp_ok($last + 1, '>=', length $part[0], "$event - with all its bytes");

    my $rest = substr $content, $last + 1;
    $r = $t->request('PATCH', $session, body => $rest, headers => [
        'Content-Range', ($last + 1) . '-' . (length($content) - 1) ]);
    is($r->status, 202, "$event - goes on") or diag $r->body;

    $r = $t->request('PUT', "$session?digest=" . digest($content),
        body => '');
    is($r->status, 201, "$event - and ends") or diag $r->body;
    return;
}

###############################################################################

sub digest { return 'sha256:' . sha256_hex($_[0]) }
sub sessions { my @files = glob "$uploads/*-*-*-*-*.*"; return @files }
sub path { return $_[0]->header('Location') =~ s{^https?://[^/]+}{}r }


sub image {
    my ($step) = @_;

    # a layer that is large where that makes a difference

    my $i = ++$n;
    my $config = qq({"architecture":"amd64","os":"linux","n":$i});
    my $layer = "$i\n" . ($step->[2] eq 'layer' ? $filler : 'layer');

    return {
        repository => "crash/n$i", config => $config, layer => $layer,
        manifest => sprintf '{"schemaVersion":2,"mediaType":"%s","config":{'
            . '"mediaType":"application/vnd.oci.image.config.v1+json",'
            . '"digest":"%s","size":%d},"layers":[{"mediaType":'
            . '"application/vnd.oci.image.layer.v1.tar","digest":"%s",'
            . '"size":%d}]}', $type, digest($config), length $config,
            digest($layer), length $layer
    };
}


# The filter of a step's requests, for rules of the scripted S3.

sub match {
    my ($image, $step) = @_;

    my ($name, $method, $what, $where, $query) = @$step;
    my $hex = sha256_hex($image->{$what});
    my $repository = "/repositories/$image->{repository}";

    my $key = $where eq 'data' ? qr{/blobs/sha256/../$hex/data$}
        : $where eq 'link' ? qr{$repository/_layers/sha256/$hex/link$}
        : $where eq 'revision' ? qr{$repository/_manifests/revisions/}
        : $where eq 'index' ? qr{$repository/_manifests/tags/v1/index/}
        : qr{$repository/_manifests/tags/v1/current/};

    return (method => $method, key => $key,
        defined $query ? (query => $query) : ());
}


# The same for those that have come.

sub requests_of {
    my ($match) = @_;

    my %filter = %$match{qw/ method key /};

    if (defined $match->{query}) {
        my ($text) = $match->{query} =~ /(uploads|uploadId|partNumber=\d)/;
        $filter{target} = qr/\?.*$text/;
    }

    return %filter;
}


# A push as clients do it; '', or what failed.

sub push_image {
    my ($image) = @_;

    my $base = "/v2/$image->{repository}";

    for my $what (qw/ config layer /) {
        my $content = $image->{$what};
        my $r = $t->request('POST', "$base/blobs/uploads/", body => '');
        return "POST $what: " . $r->status if $r->status != 202;

        my $session = path($r);
        $r = $t->request('PATCH', $session, body => $content);
        return "PATCH $what: " . $r->status if $r->status != 202;

        $r = $t->request('PUT', "$session?digest=" . digest($content),
            body => '');
        return "PUT $what: " . $r->status if $r->status != 201;
    }

    my $r = $t->request('PUT', "$base/manifests/v1",
        body => $image->{manifest}, headers => [ 'Content-Type', $type ]);
    return $r->status == 201 ? '' : 'PUT manifest: ' . $r->status;
}


sub kill_all {
    my @pids = ($t->{pid}, $t->processes());

    kill 'KILL', @pids;
    wait_for(sub { !grep { !Test::Registry::gone($_) } @pids });
    unlink $t->dir . '/nginx.pid';
    $t->start();
    return;
}

###############################################################################
