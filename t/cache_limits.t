#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for a cache that has no room: smaller than an image, on a disk that is
# full, switched off.  Every pull succeeds.

###############################################################################

use warnings;
use strict;

use Test::More;

use File::Find qw/ find /;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry::Engine qw/ enter_namespaces /;

BEGIN { enter_namespaces() }

use Test::Registry;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Util qw/ random_bytes run_command temp_dir wait_for
    write_file /;

###############################################################################

my $s3 = Test::Registry::S3->new();
my $layout = Test::Registry::Layout->new($s3);

# ten layers of 1 to 19 MB, one of them in slices

my @layers = map { random_bytes(1_000_003, "layer $_") x (2 * $_ - 1) }
    1 .. 10;
my @digests = map { $layout->blob('team/app', $_) } @layers;

# smaller than one layer

my $t = node(limit => '8m');

for my $round ('cold', 'again') {
    is(pull($t), '', "cache of 8 MB - $round");
}

ok(wait_for(sub { written($t) <= 40_000_000 }, 20), 'cache of 8 MB - in time')
    or diag written($t);

# a full disk: nginx says so itself, for each file

my $disk = temp_dir('disk');
is(run_command([qw/ mount -t tmpfs -o size=6m tmpfs /, $disk]), 0,
    'a small disk');

$t = node(disk => $disk);
$t->expect_log(qr{\(28: No space left on device\)|pwritev\(\) "\Q$disk\E});

for my $round ('cold', 'again', 'once more') {
    is(pull($t), '', "full disk - $round");
}

my @lines = $t->log() =~ /(\[\w+\][^\n]*without being cached[^\n]*)/g;
cmp_ok(scalar @lines, '>=', 1, 'full disk - log');
cmp_ok(scalar @lines, '<=', 4, 'full disk - not for each slice');
like($lines[0], qr/^\[warn\].*disk of the cache of blobs cannot be written/,
    'full disk - log says what and why');

# room again

is(run_command([qw/ mount -o /, 'remount,size=400m', $disk]), 0, 'a larger disk');
ok(wait_for(sub { $s3->forget(); pull($t); return !$s3->count(
    key => qr/data$/) }, 30), 'larger disk - everything is cached');

$t->stop();
is(run_command([ 'umount', $disk ]), 0, 'the disk is free');

# nothing at all can be written, and what is asked for comes in one piece

is(run_command([qw/ mount -t tmpfs -o size=64k tmpfs /, $disk]), 0,
    'a tiny disk');

$t = node(disk => $disk);
$t->expect_log(qr{\(28: No space left on device\)|pwritev?\(\) "\Q$disk\E});
write_file("$disk/fill", '');
run_command([ 'sh', '-c', 'cat /dev/zero > "$1"', 'sh', "$disk/fill" ]);

for my $n (1 .. 5) {
    my $small = $layout->blob('team/app', "small $n" x 300);
    my $r = $t->get("/v2/team/app/blobs/$small");

    is($r->status, 200, "no room at all - small blob $n");
    ok($r->body eq "small $n" x 300, "no room at all - bytes $n");
}

like($t->log(), qr/disk of the cache of blobs cannot be written/,
    'no room at all - log');

$t->stop();
is(run_command([ 'umount', $disk ]), 0, 'the disk is free again');

# none

$t = node(none => 1);
is(pull($t), '', "no cache - $_") for 'cold', 'again';
is(written($t), 0, 'no cache - nothing is written');

finish();

###############################################################################

sub node {
    my (%opt) = @_;

    my %edit;

    $edit{http} = sub {
        my ($text) = @_;

        $text =~ s/(registry_s3_blobs.*?max_size=)\S+/$1$opt{limit}/s
            if $opt{limit};
        $text =~ s{\S+/nginx_registry_blobs}{$opt{disk}/blobs} if $opt{disk};
        $text =~ s/(registry_s3_blobs.*?) min_free=\S+/$1/s;
        return $text;
    };

    $edit{server} = sub {
        $_[0] =~ s/proxy_cache registry_s3_blobs;/proxy_cache off;/r
    } if $opt{none};

    my $node = Test::Registry->node($s3, edit => \%edit,
        location => 'registry_slice_size 4m;');

    $node->{blobs} = $opt{disk} ? "$opt{disk}/blobs"
        : $node->dir . '/cache/nginx_registry_blobs';

    return $node;
}


sub pull {
    my ($node) = @_;

    my @wrong;

    for my $digest (@digests) {
        my $r = $node->request('GET', "/v2/team/app/blobs/$digest",
            digest => 1);
        my $got = $r->error || 'sha256:' . $r->sha256;

        push @wrong, "$digest: $got" if $got ne $digest;
    }

    return join "\n", @wrong;
}


# Bytes in the files of the cache of layers.

sub written {
    my ($node) = @_;

    my $bytes = 0;

    find(sub { $bytes += -s _ if lstat $_ && -f _ }, $node->{blobs})
        if -d $node->{blobs};

    return $bytes;
}
