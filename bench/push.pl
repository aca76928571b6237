#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# One large blob pushed as clients do it, POST, PATCH, PUT, to the host that
# writes and to distribution 3, and uploaded by "aws s3 cp", all to the same
# local versitygw; memory while eight are pushed at once; how long the last
# request of the push of a very large blob is silent:
#
#     make bench-push
#     BENCH_ROUNDS=5 BENCH_BLOB=1024 make bench-push     (rounds, MiB)
#     BENCH_SILENT=0 make bench-push                     (MiB, 0: not)
#
# Everything is in memory (/dev/shm), S3's data among it.  What is worth
# something are ratios, since all ran in the same minute.

###############################################################################

use warnings;
use strict;

BEGIN { $ENV{TMPDIR} = '/dev/shm' if -d '/dev/shm' }

use FindBin;
use lib "$FindBin::Bin/../t/lib";

use Digest::SHA;
use Time::HiRes qw/ time sleep /;

use Test::More ();

use Test::Registry ();
use Test::Registry::Distribution;
use Test::Registry::Gateway;
use Test::Registry::Util qw/
    clean_env need read_file run_command spawn temp_dir wait_for
/;

###############################################################################

need(qw/ curl registry aws /);

my $rounds = $ENV{BENCH_ROUNDS} // 3;
my $size = $ENV{BENCH_BLOB} // 512;
my $silent = $ENV{BENCH_SILENT} // 4096;
my $n = 0;

my $s3 = Test::Registry::Gateway->new(local => 1);
my $t = Test::Registry->node($s3, workers => 2, location => '
    registry_push on;
    registry_upload_path %%dir%%/uploads;
    client_max_body_size 0;');
my $distribution = Test::Registry::Distribution->new($s3,
    program => 'registry');

my %rates;

for my $round (1 .. $rounds) {
    my @kinds = ([ ours => \&push_blob, $t->port ],
        [ distribution => \&push_blob, $distribution->port ],
        [ 'aws s3 cp' => \&aws_copy ]);

    for ($round % 2 ? @kinds : reverse @kinds) {
        my ($name, $code, @args) = @$_;
        my $file = blob($size);
        my $begun = time();

        $code->($file, @args);
        push @{$rates{$name}}, $size / (time() - $begun);
        clear($file);
    }
}

$distribution->stop();

printf "%d MiB, %d rounds, MiB/s: min, median, max, ratio to ours\n", $size,
    $rounds;

for my $name (sort keys %rates) {
    my @sorted = sort { $a <=> $b } @{$rates{$name}};

    printf "%-14s %8.0f %8.0f %8.0f %8.2f\n", $name, $sorted[0],
        median($name), $sorted[-1], median('ours') / median($name);
}

printf "memory of the workers with eight such pushes at once, most, PSS: "
    . "%.1f MiB\n", eight_at_once() / 1024;

if ($silent) {
    my $file = blob($silent);
    my @seconds = push_blob($file, $t->port);

    printf "a blob of %d MiB: PATCH %.1f s, final PUT silent for %.1f s\n",
        $silent, @seconds;
    clear($file);
}

###############################################################################

# A file that is different each time: path and digest.

sub blob {
    my ($mib) = @_;

    my $path = temp_dir('blobs') . '/' . ++$n;
    my $sha = Digest::SHA->new(256);

    open my $fh, '>:raw', $path or die "$path: $!\n";

    for my $i (1 .. $mib) {
        my $piece = pack('N2', $n, $i) . 'x' x (1048576 - 8);
        $sha->add($piece);
        print {$fh} $piece;
    }

    close $fh or die "$path: $!\n";
    return { path => $path, digest => 'sha256:' . $sha->hexdigest };
}


sub clear {
    my ($file) = @_;

    my $hex = substr $file->{digest}, 7;
    my $key = 'docker/registry/v2/blobs/sha256/' . substr($hex, 0, 2)
        . "/$hex/data";

    unlink $file->{path}, $s3->data_dir . "/$key",
        $s3->data_dir . '/plain';
    return;
}


# Returns the seconds that PATCH and PUT took.

sub push_blob {
    my ($file, $port) = @_;

    my $base = "http://127.0.0.1:$port";
    my ($status, $output) = run_command([qw/ curl -sS -X POST -D - -o
        /, '/dev/null', '-H', 'Content-Length: 0',
        "$base/v2/bench/push/blobs/uploads/" ]);
    my $location = location($base, $output);

    my $begun = time();
    ($status, $output) = run_command([qw/ curl -sS -X PATCH -D - -o
        /, '/dev/null', '-H', 'Content-Type: application/octet-stream', '-H',
        'Expect:', '-T', $file->{path}, $location ], timeout => 600);
    $output =~ m{^HTTP/1.1 202} or die "PATCH: $output\n";
    $location = location($base, $output);
    my $patched = time();

    ($status, $output) = run_command([qw/ curl -sS -X PUT -D - -o
        /, '/dev/null', '-H', 'Content-Length: 0', $location
        . ($location =~ /\?/ ? '&' : '?') . "digest=$file->{digest}" ],
        timeout => 600);
    $output =~ m{^HTTP/1.1 201} or die "PUT: $output\n";

    return ($patched - $begun, time() - $patched);
}


sub location {
    my ($base, $head) = @_;

    my ($location) = $head =~ /^location:\s*(\S+)/mi
        or die "no Location: $head\n";
    return $location =~ m{^/} ? "$base$location" : $location;
}


sub aws_copy {
    my ($file) = @_;

    my ($status, $output) = run_command(['/usr/bin/aws', '--endpoint-url',
        $s3->endpoint, '--region', $s3->region, 's3', 'cp', '--quiet',
        $file->{path}, 's3://' . $s3->bucket . '/plain'], timeout => 600,
        env => clean_env(AWS_ACCESS_KEY_ID => $s3->access_key,
            AWS_SECRET_ACCESS_KEY => $s3->secret_key));

    die "aws s3 cp: $output\n" if $status;
    return;
}


sub eight_at_once {
    my @files = map { blob($size) } 1 .. 8;
    my @pushes = map { my $file = $_;
        spawn(sub { push_blob($file, $t->port) }) } @files;
    my $most = 0;

    while (grep { $_->alive } @pushes) {
        my $now = 0;

        for ($t->workers()) {
            $now += $1 if read_file("/proc/$_/smaps_rollup")
                =~ /^Pss:\s+(\d+)/m;
        }

        $most = $now if $now > $most;
        sleep 0.1;
    }

    clear($_) for @files;
    return $most;
}


sub median {
    my ($name) = @_;

    my @sorted = sort { $a <=> $b } @{$rates{$name}};
    return $sorted[@sorted / 2];
}

###############################################################################
