#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for keys that change: every other second, with an S3 that refuses the
# old ones at once; as AWS does it; and who asks how often.
# REGISTRY_TEST_ROTATION is how many seconds the first part takes (10),
# REGISTRY_TEST_REQUESTS how many requests there are at least (400).

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use POSIX qw/ _exit /;
use Time::HiRes qw/ sleep time /;

use Test::Registry;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Source;
use Test::Registry::Util qw/
    temp_dir read_lines append_file wait_for write_file
/;

###############################################################################

my $s3 = Test::Registry::S3->new(access_key => 'NOBODY',
    secret_key => 'nothing');
my $layout = Test::Registry::Layout->new($s3);
$layout->manifest('team/app', '{"schemaVersion":2}', "v$_") for 1 .. 9;
my $blob = $layout->blob('team/app', 'b' x 1000);

my @none = (AWS_ACCESS_KEY_ID => '', AWS_SECRET_ACCESS_KEY => '');
my $results = temp_dir('results');

# every other second, in a set of workers, and nobody notices

my $seconds = $ENV{REGISTRY_TEST_ROTATION} // 10;
my $wanted = $ENV{REGISTRY_TEST_REQUESTS} // 400;

my $source = Test::Registry::Source->new();
$source->rotate($s3, life => 2);

my $t = Test::Registry->node($s3, workers => 2,
    env => { @none, $source->imds_env });

my @pids = map { requester($t, "$results/$_", $_) } 1 .. 4;
my $end = time() + $seconds;
my $rotations = 0;

while (time() < $end) {
    sleep 2;
    $source->rotate($s3, life => 2);
    $rotations++;
}

write_file("$results/stop", '');
waitpid $_, 0 for @pids;

my @lines = map { read_lines("$results/$_") } 1 .. 4;
my @failed = grep { !/^200 / } @lines;

is("@failed[0 .. ($#failed > 4 ? 4 : $#failed)]", '',
    'rotation - no client sees an error');
cmp_ok(scalar @lines, '>=', $wanted, 'rotation - requests');
diag(scalar(@lines) . " requests, $rotations rotations, "
    . scalar(() = $s3->requests(code => 'ExpiredToken')) . ' refused by S3, '
    . $source->count(path => qr{credentials/node-role$}) . ' fetches');

my @times = map { $_->{time} } $source->requests(path =>
    qr{credentials/node-role$});
my $bursts = grep { $times[$_ + 3] - $times[$_] < 1 } 0 .. $#times - 3;
is($bursts, 0, 'rotation - fetches are forced once a second at most');

$t->stop();

# as AWS: until five minutes before it expires it is the same set, then a new
# one; and one that has expired already

for my $life (1000, 200, -3600) {
    my $aws = Test::Registry::Source->new();
    my $set = $aws->rotate($s3, life => $life);
    my $n = Test::Registry->node($s3, workers => 2,
        env => { @none, $aws->imds_env });

    for (1 .. 20) {
        $n->get("/v2/team/app/tags/list");
        sleep 0.15;
    }

    is($n->get('/v2/team/app/tags/list')->status, 200,
        "$life s - service goes on");
    is($aws->count(path => qr{credentials/node-role$}), 1,
        "$life s - one fetch");
    like($n->log(), $life < 0
        ? qr/\[warn\].*IMDS.*have expired .*seconds ago.*clock/
        : qr/\[notice\].*IMDS.*expire \d+T\d+Z, \d+ seconds from now/,
        "$life s - log");
    $n->stop();
}

# this host's clock is wrong by twenty minutes, which S3 says

for my $clock (1200, -1200) {
    my $aws = Test::Registry::Source->new(clock => $clock);
    $aws->rotate($s3, life => 600);
    $s3->clock($clock);

    my $n = Test::Registry->node($s3, probe => 0,
        env => { @none, $aws->imds_env });

    is($n->get('/v2/team/app/tags/list')->status, 200,
        "clock $clock - served");

    for (1 .. 10) {
        is($n->get('/v2/team/app/tags/list')->status, 200,
            "clock $clock - served again") if $_ == 10;
        sleep 0.1;
    }

    is($aws->count(path => qr{credentials/node-role$}), 1,
        "clock $clock - one fetch");
    like($n->log(), qr/\[warn\].*clock of this host is 1\d\d\d seconds/,
        "clock $clock - log");
    like($n->log(), qr/expire \S+, (?:59\d|600) seconds from now/,
        "clock $clock - expiry by the source's clock");
    $n->stop();
}

$s3->clock(0);

# the first requests, of many workers at once: one fetch

my $slow = Test::Registry::Source->new();
$slow->rotate($s3);
$slow->fault(path => qr/node-role$/, latency => 0.4);

my $many = Test::Registry->node($s3, workers => 8, probe => 0,
    env => { @none, $slow->imds_env });

unlink "$results/stop";
my $each = $ENV{REGISTRY_TEST_START} // 25;
@pids = map { starter($many, "$results/start$_", $each) } 1 .. 8;
waitpid $_, 0 for @pids;

@lines = map { read_lines("$results/start$_") } 1 .. 8;
is(scalar(grep { /^200 / } @lines), 8 * $each,
    'start - all requests are served');
is($slow->count(path => qr{credentials/node-role$}), 1, 'start - one fetch');

# a reload has the keys already, an upgrade asks once

$many->reload();
is($many->get('/v2/team/app/manifests/v8')->status, 200, 'reload');
sleep 1.5;
is($slow->count(path => qr{credentials/node-role$}), 1, 'reload - no fetch');

$many->upgrade();
is($many->get('/v2/team/app/manifests/v9')->status, 200, 'upgrade');
sleep 1.5;
is($slow->count(path => qr{credentials/node-role$}), 2,
    'upgrade - one fetch');
like($many->log(), qr/credentials of IMDS.*\n.*\n?.*credentials of IMDS/s,
    'upgrade - the same source');

finish();

###############################################################################

# Asks for what S3 is asked about each time, until there is a file "stop".

sub requester {
    my ($node, $file, $n) = @_;

    my $pid = fork() // die "fork: $!\n";
    return $pid if $pid;

    my $client = $node->client();
    my @uris = ('/v2/team/app/tags/list', "/v2/team/app/manifests/v$n",
        "/v2/team/app/blobs/$blob");
    my $i = 0;

    until (-e "$results/stop") {
        my $uri = $uris[$i++ % 3];
        my $r = $i % 7 == 0 ? $client->head($uris[2]) : $client->get($uri);
        append_file($file, $r->status . " $uri " . ($r->status == 200 ? ''
            : $r->body) . "\n");
    }

    _exit(0);
}


sub starter {
    my ($node, $file, $n) = @_;

    my $pid = fork() // die "fork: $!\n";
    return $pid if $pid;

    for (1 .. $n) {
        my $r = $node->client()->get('/v2/team/app/manifests/v'
            . (1 + $_ % 7));
        append_file($file, $r->status . " \n");
    }

    _exit(0);
}

###############################################################################
