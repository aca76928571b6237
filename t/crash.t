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
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::Audit qw/ audit /;
use Test::Registry::Push qw/ again image kill_all promised push_image /;
use Test::Registry::S3;
use Test::Registry::Util qw/ random_bytes temp_dir wait_for write_file /;

###############################################################################

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
    'nginx killed' => sub { kill_all($t) },
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

promised($t, $_) for 'worker killed', 'nginx killed', 'client gone';

# what was killed while it wrote a state: a part of it, or all and no spool;
# names that are not ours stay

my $left = "$uploads/0b8a5f16-7c1e-4d2f-9a3b-5e6f70819";
write_file("$left$_", 'x') for qw/ 2a3.state 2a4.state.new /;
write_file("$uploads/notes.state", 'x');
utime time - 60, time - 60, glob "$uploads/*.state*";

ok(wait_for(sub { !grep { -e } "${left}2a3.state", "${left}2a4.state.new" },
    15), 'states without a spool are removed');
ok(-e "$uploads/notes.state", 'a file of somebody else stays');

is(join("\n", audit($s3)), '', 'the bucket is true');

finish();

###############################################################################

# nginx waits for S3 at a step, which is done or not, and something ends.

sub broken {
    my ($step, $event, $applied) = @_;

    my $name = "$event at $step->[0], " . ($applied ? 'done' : 'not done');
    my $image = image(++$n, $step->[2] eq 'layer' ? $filler : 'layer');
    my %match = match($image, $step);

    $s3->fault(%match, hang => 1, times => 1,
        $applied ? () : (status => 500));

    my $seen = $s3->count(%match{qw/ method key /});
    my $client = Test::Registry::Util::spawn(sub { push_image($t, $image) });

    ok($s3->wait_request($seen + 1, requests_of(\%match)), "$name - it waits");
    $events{$event}->($client);

    wait_for(sub { !$client->alive }, 15);
    $client->stop('KILL');
    $s3->clear_faults();
    $s3->start() if $event eq 'S3 gone';

    again($t, $s3, $image, $name);
}


sub answered {
    my ($step, $event) = @_;

    my $name = "$event at $step->[0]";
    my $image = image(++$n, $step->[2] eq 'layer' ? $filler : 'layer');

    $s3->fault(match($image, $step), %{$answers{$event}});

    my $wrong = push_image($t, $image);

    # what may be retried is

    $event eq 'S3 refuses' ? like($wrong, qr/: 502$/, $name)
        : $event eq 'answer cut' ? is($wrong, '', $name)
        : like($wrong, qr/^$|: 503$/, $name);

    $s3->clear_faults();
    again($t, $s3, $image, $name);
}


###############################################################################

# Bytes that a PATCH was told to be there are there.

###############################################################################

sub sessions { my @files = glob "$uploads/*-*-*-*-*.*"; return @files }


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

###############################################################################
