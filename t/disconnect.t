#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for clients that go away in the middle of a blob, a thousand times:
# connections, descriptors and memory are given back within a second.

###############################################################################

use warnings;
use strict;

use Test::More;

use Digest::SHA qw/ sha256_hex /;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry qw/ finish sanitized /;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Util qw/ read_file wait_for /;

###############################################################################

# sanitizers keep what is freed

my $rounds = sanitized() ? 200 : 1000;

my $s3 = Test::Registry::S3->new();
my $layout = Test::Registry::Layout->new($s3);
my $t = Test::Registry->node($s3);
my ($worker) = $t->workers();
my $n = 0;

# a blob in the cache, of which a third of them want

my $warm = $layout->generated('team/app', 64 << 20, 'warm');
is('sha256:' . $t->request('GET', path($warm), digest => 1)->sha256, $warm,
    'a blob in the cache');

# pools, buffers, the tables of OpenSSL: once

leave() for 1 .. $rounds / 5;
sleep 1;
my %before = settled();

leave() for 1 .. $rounds;
my %after = settled(\%before);

is($after{client}, 0, 'no connection of a client is left');
is($after{file}, $before{file}, 'as many files are open as before');
is($after{other}, $before{other}, 'as many other descriptors as before');
cmp_ok($after{s3}, '<=', 32, 'connections to S3: those that are kept');

# malloc() returns what it can; a kilobyte for each of them would be 1 MB

SKIP: {
    skip('of a sanitizer', 1) if sanitized();
    cmp_ok($after{memory} - $before{memory}, '<', 700, 'memory, kB')
        or diag "$before{memory}, $after{memory}";
}

ok(!(grep { !$_->{end} } $s3->requests()), 'S3 sends nothing any more');

is('sha256:' . $t->request('GET', path($warm), digest => 1)->sha256, $warm,
    'others come');

finish();

###############################################################################

sub path { return "/v2/team/app/blobs/$_[0]" }


# One that reads the header, or up to some slices, and goes.

sub leave {
    my $blob = ++$n % 3 ? cold() : $warm;
    my $client = $t->client;
    my $socket = $client->connect();
    my $left = [ 1, 50_000, 300_000, 9_000_000 ]->[$n % 4];

    $client->write_all($socket, $client->format('GET', path($blob)));

    while ($left > 0 && (my $got = sysread $socket, my $data, 1 << 17)) {
        $left -= $got;
    }

    close $socket;
    return;
}


# Nobody will ever get all of it, so that nobody can say that it is not what
# its digest says.

sub cold {
    my $digest = 'sha256:' . sha256_hex("cold $n");

    $s3->put_generated($layout->blob_key($digest), 64 << 20, "cold");
    $layout->put($layout->layer_key('team/app', $digest), $digest);
    return $digest;
}


# What the worker has within a second, which is to be what it had before.  A
# socket whose end was a reset is in no table until the worker looks at it.

sub settled {
    my ($want) = @_;

    my %now;

    wait_for(sub {
        %now = descriptors();
        return !$now{client} && (!$want
            || $now{file} == $want->{file} && $now{other} == $want->{other});
    }, 1);

    return (%now, memory => $t->worker_memory($worker));
}


sub descriptors {
    my (%count, %socket);

    @count{qw/ client s3 file channel other /} = (0) x 5;

    # channels to nginx's other processes; the loader of the caches ends after
    # a minute, and its channel with it

    for (split /\n/, read_file("/proc/$worker/net/unix")) {
        my ($inode) = (split)[6];
        $socket{$inode} = 'channel';
    }

    for (split /\n/, read_file("/proc/$worker/net/tcp")) {
        my ($local, $peer, $state, $inode) = (split)[1 .. 3, 9];
        $socket{$inode} = $state eq '0A' ? 'other'
            : hex(($peer =~ /:(.*)/)[0] // 0) == $s3->port ? 's3'
            : hex(($local =~ /:(.*)/)[0] // 0) == $t->port ? 'client'
            : 'other';
    }

    for (glob "/proc/$worker/fd/*") {
        my $what = readlink // next;

        $count{$what =~ /^socket:\[(\d+)/ ? $socket{$1} // 'other'
            : $what =~ m{/cache/} ? 'file' : 'other'}++;
    }

    return %count;
}

###############################################################################
