#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for workers that are to end while a thread writes or reads for them:
# nothing of nginx waits meanwhile, no connection and no timer.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::INET;
use POSIX ();

use Test::Registry;
use Test::Registry::Disk;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Util qw/ temp_dir wait_for /;

plan skip_all => 'a sanitizer must be loaded first'
    if Test::Registry::sanitized();

###############################################################################

my $s3 = Test::Registry::S3->new();
my $layout = Test::Registry::Layout->new($s3);
my $cache = temp_dir('slow-cache');
my $disk = Test::Registry::Disk->new($cache);

my $t = Test::Registry->node($s3, env => { $disk->env },
    edit => { http => sub { $_[0] =~ s{^(proxy_cache_path\s+)\S+/}{$1$cache/}mgr } });

# the cache is being written

my $blob = $layout->generated('team/app', 200_000, 'written');

$disk->slow(1000);
reload_while($blob, 'written', 2.5);

# what was cached is hashed after a restart

$disk->slow(0);

$blob = $layout->generated('team/app', 10_000_000, 'hashed');
is($t->request('GET', "/v2/team/app/blobs/$blob", digest => 1)->sha256,
    $blob =~ s/sha256://r, 'hashed - cached');

$t->restart();
$disk->slow(10);
reload_while($blob, 'hashed', 0.5);

# a client that went away while the cache was being written

$blob = $layout->generated('team/app', 1_000_000, 'left');

$disk->slow(2000);

my $client = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
    PeerPort => $t->port, Proto => 'tcp') or die "connect: $!";
$client->print("GET /v2/team/app/blobs/$blob HTTP/1.1\r\nHost: x\r\n\r\n");

ok(wait_for(sub { grep { /\.\d{10}$/ } glob "$cache/*blobs/*/*/*" }, 20),
    'left - being written');
close $client;
ok($t->wait_log(qr/client (?:\S+ )*closed/, 5), 'left - gone');

my $begun = time;
$t->stop();

cmp_ok(time - $begun, '<=', 3, 'left - waits for the write, and for no more');

finish();

###############################################################################

sub reload_while {
    my ($blob, $name, $after) = @_;

    my ($worker) = $t->workers();

    pipe my $out, my $in or die "pipe: $!";
    my $pid = fork() // die "fork: $!";

    if ($pid == 0) {
        my $r = $t->request('GET', "/v2/team/app/blobs/$blob", digest => 1);

        syswrite $in, join ' ', $r->status,
            $r->complete ? 'sha256:' . $r->sha256 : 'cut';
        POSIX::_exit(0);
    }

    close $in;

    select undef, undef, undef, $after;
    is(waitpid($pid, POSIX::WNOHANG()), 0, "$name - under way");
    $t->reload();

    is(readline($out), "200 $blob", "$name - all of it, before it ends");
    waitpid $pid, 0;

    ok(wait_for(sub { Test::Registry::gone($worker) }, 20),
        "$name - and then it ends");

    # what it has fetched is kept

    $disk->slow(0);
    $s3->forget();

    is($t->request('GET', "/v2/team/app/blobs/$blob", digest => 1)->sha256,
        $blob =~ s/sha256://r, "$name - again");
    is($s3->count(), 0, "$name - from the cache");
    return;
}

###############################################################################
