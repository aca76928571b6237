#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Latency of requests that ask S3 each time, while the source of credentials
# answers and while it hangs, in turns:
#
#     make bench-credentials
#     BENCH_ROUNDS=5 BENCH_SECONDS=15 make bench-credentials
#
# Sets live for four seconds, so that the source is asked in each round, and
# S3 takes them for longer.  What is worth something is one beside the other.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../t/lib";

use POSIX qw/ _exit /;
use Time::HiRes qw/ time sleep /;

use Test::More ();

use Test::Registry ();
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Source;
use Test::Registry::Util qw/ temp_dir append_file read_lines write_file /;

###############################################################################

my $rounds = $ENV{BENCH_ROUNDS} // 3;
my $seconds = $ENV{BENCH_SECONDS} // 10;
my $clients = $ENV{BENCH_CLIENTS} // 4;

my $s3 = Test::Registry::S3->new(access_key => 'NOBODY',
    secret_key => 'nothing');
my $layout = Test::Registry::Layout->new($s3);
$layout->manifest('team/app', '{"schemaVersion":2}', "v$_") for 1 .. 9;

my $source = Test::Registry::Source->new();
$source->rotate($s3, life => 4);

my $t = Test::Registry->node($s3, workers => 2, env => {
    AWS_ACCESS_KEY_ID => '', AWS_SECRET_ACCESS_KEY => '',
    $source->imds_env });

my (%times, %failed);

for my $round (1 .. $rounds) {
    for my $kind ('answers', 'hangs') {
        $source->clear_faults();
        $source->rotate($s3, life => 4);
        sleep 1.5;
        $t->get('/v2/team/app/tags/list') for 1 .. 3;
        $source->fault(hang => 60) if $kind eq 'hangs';

        # so that it is asked in this round
        $source->issue(%{$source->{state}{set}});

        my $dir = temp_dir("results-$round-$kind");
        my @pids = map { client("$dir/$_") } 1 .. $clients;
        waitpid $_, 0 for @pids;

        for (map { read_lines("$dir/$_") } 1 .. $clients) {
            my ($status, $time) = split / /;
            $failed{$kind}++ if $status != 200;
            push @{$times{$kind}}, $time;
        }
    }
}

$t->stop('TERM');

printf "%-10s %8s %8s %8s %8s %8s\n",
    qw/ source requests failed p50 p99 max /;

for my $kind ('answers', 'hangs') {
    my @t = sort { $a <=> $b } @{$times{$kind}};
    printf "%-10s %8d %8d %6.1f ms %5.1f ms %5.1f ms\n", $kind, scalar @t,
        $failed{$kind} // 0, map { 1000 * $_ } $t[@t * 0.5], $t[@t * 0.99],
        $t[-1];
}

printf "fetches: %d\n", $source->count(path => qr/token$/);

###############################################################################

sub client {
    my ($file) = @_;

    my $pid = fork() // die "fork: $!\n";
    return $pid if $pid;

    my $end = time() + $seconds;
    my $lines = '';

    while (time() < $end) {
        my $r = $t->client()->get('/v2/team/app/tags/list');
        $lines .= $r->status . ' ' . $r->seconds . "\n";
    }

    write_file($file, $lines);
    _exit(0);
}

###############################################################################
