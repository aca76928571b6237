#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for blobs that are fetched in slices: which ones are asked for, what
# is verified, what damages and faults do to them, and what the cache keeps.

###############################################################################

use warnings;
use strict;

use Test::More;

use Digest::SHA qw/ sha256_hex /;
use File::Find;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Util qw/ random_bytes wait_for /;

###############################################################################

my $slice = 65_536;
my $s3 = Test::Registry::S3->new();
my $layout = Test::Registry::Layout->new($s3);
my $t = node();
my $n = 0;

# a cold blob, warm, and by ranges

my ($blob, $bytes) = blob(1_000_000);

is(sha($blob), $blob, 'cold');
is(join(' ', ranges()), join(' ', map { range($_) } 0 .. 15), 'cold - slices');
is(access_cache(1), 'MISS', 'cold - cache status');

$s3->forget();
is(sha($blob), $blob, 'warm');
is($s3->count(key => qr/data$/), 0, 'warm - S3 is not asked');
is(access_cache(2), 'HIT', 'warm - cache status');

# ranges touch the slices that they need

($blob, $bytes) = blob(1_000_000);

for (['bytes=0-0', 0, 1, 0], ['bytes=70000-70009', 70_000, 10, 1],
    ['bytes=131000-131100', 131_000, 101, 1, 2], ['bytes=999990-', 999_990,
    10, 15])
{
    my ($range, $from, $length, @slices) = @$_;

    for my $time ('cold', 'warm') {
        $s3->forget();
        my $r = $t->get(path($blob), Range => $range);

        is($r->status, 206, "$range, $time");
        ok($r->body eq substr($bytes, $from, $length), "$range, $time - bytes");
        is($r->header('Content-Range'), sprintf('bytes %d-%d/1000000', $from,
            $from + $length - 1), "$range, $time - Content-Range");

        my %asked = map { $_ => 1 } ranges();
        my @wrong = grep { !delete $asked{range($_)} } $time eq 'cold'
            ? grep { !cached($blob, $_) } @slices : ();
        is(join(' ', @wrong, keys %asked), '', "$range, $time - slices");
        seen($blob, @slices);
    }
}

my $r = $t->get(path($blob), Range => 'bytes=-10');
ok($r->body eq substr($bytes, -10), 'suffix');
is($t->get(path($blob), Range => 'bytes=1000000-')->status, 416, 'beyond');
is($t->get(path($blob), Range => 'bytes=5000000-')->status, 416,
    'far beyond');

# the same of a blob whose size is not known yet: S3 sends no more than that

my ($unknown, $content) = blob(1_000_000);
ok($t->get(path($unknown), Range => 'bytes=-10')->body
    eq substr($content, -10), 'suffix, size unknown');
is(join(' ', ranges()), 'bytes=-10', 'suffix, size unknown - what S3 is asked');

# more than 256 slices are larger ones: where they begin is known with the
# size only, after the first one was asked for

for my $k (1, 3) {
    my $many = $layout->generated('team/app', 20_000_000, "many $k");
    my $r = $t->request('GET', path($many), digest => 1,
        headers => [ Range => 'bytes=' . ($k * $slice + 5) . '-' ]);

    is($r->status, 206, "resumed at slice $k");
    is($r->error, '', "resumed at slice $k - whole");
    is($r->sha256, sha256_hex($s3->generated_bytes("many $k", $k * $slice + 5,
        20_000_000 - $k * $slice - 5)), "resumed at slice $k - bytes");
}

# what ranges have brought is fetched again for who wants all of it

$s3->forget();
is(sha($blob), $blob, 'all, after ranges');
is(scalar(ranges()), 16, 'all, after ranges - every slice is fetched');
$s3->forget();
is(sha($blob), $blob, 'all, again');
is(scalar(ranges()), 0, 'all, again - from the cache');

# many readers of a cold blob

($blob) = blob(2_000_000);
my @r = $t->client->parallel([ map { [ 'GET', path($blob), digest => 1 ] }
    1 .. 20 ]);
is(scalar(grep { $_->complete && 'sha256:' . $_->sha256 eq $blob } @r), 20,
    'twenty at once');
is(scalar(ranges()), 31, 'twenty at once - each slice is fetched once');

# bytes that S3 has not right

my %damages = (
    'a bit changed' => sub { my ($key, $bytes) = @_;
        $s3->fault(key => $key, range => qr/^bytes=262144-/,
            corrupt => 262_200); },
    'a bit changed, last byte' => sub { my ($key, $bytes) = @_;
        $s3->fault(key => $key, range => qr/^bytes=983040-/,
            corrupt => 999_999); },
    'a bit changed, first slice' => sub { my ($key, $bytes) = @_;
        $s3->fault(key => $key, range => qr/^bytes=0-/, corrupt => 7); },
    'another object' => sub { my ($key, $bytes) = @_;
        my $other = random_bytes(1_000_000, 'other ' . $n++);
        $s3->fault(key => $key, range => qr/^bytes=131072-/, status => 206,
            body => substr($other, 131_072, $slice), headers =>
            { 'Content-Range' => 'bytes 131072-196607/1000000' }); },
    'cut and padded' => sub { my ($key, $bytes) = @_;
        $s3->fault(key => $key, range => qr/^bytes=131072-/, status => 206,
            body => substr($bytes, 131_072, 1000) . "\0" x ($slice - 1000),
            headers => { 'Content-Range' =>
            'bytes 131072-196607/1000000' }); },
    'another size' => sub { my ($key, $bytes) = @_;
        $s3->fault(key => $key, range => qr/^bytes=131072-/, status => 206,
            body => substr($bytes, 131_072, $slice),
            headers => { 'Content-Range' =>
            'bytes 131072-196607/1000001' }); },
    '200 to a range' => sub { my ($key, $bytes) = @_;
        $s3->fault(key => $key, range => qr/^bytes=131072-/,
            ignore_range => 1); },
);

for my $damage (sort keys %damages) {
    for my $first ('all', 'a range first') {
        my $name = "$damage, $first";
        my ($blob, $bytes) = blob(1_000_000);

        $damages{$damage}->(qr/\Q@{[ substr $blob, 7 ]}\E/, $bytes);

        if ($first ne 'all') {
            $t->request('GET', path($blob), digest => 1, headers => [
                'Range', "bytes=$_-" . ($_ + 10) ])
                for 0, 131_072, 262_144, 999_980;
        }

        my $r = $t->request('GET', path($blob), digest => 1);
        isnt($r->error, '', "$name - is no whole answer");
        ok($r->length < 1_000_000 || $r->error eq 'cut', "$name - it breaks");

        $s3->clear_faults();
        is(sha($blob), $blob, "$name - mended");
        is(sha($blob), $blob, "$name - mended, warm");

        # a disk that other tests keep busy may lag, then nothing is cached

        ok(wait_for(sub { $s3->forget(); sha($blob); return !ranges() }, 10),
            "$name - mended, from the cache");
    }
}

like($t->log(), qr/GET of "[^"]+data".*does not match digest.*request id \w/,
    'damage - log');

# damage that only a range has seen is no damage for who comes later

($blob, $bytes) = blob(1_000_000);
$damages{'a bit changed'}->(qr/\Q@{[ substr $blob, 7 ]}\E/, $bytes);
$t->get(path($blob), Range => 'bytes=262144-262244');
$s3->clear_faults();
is(sha($blob), $blob, 'damage in a range, mended');

# an object that is replaced while it is fetched

($blob, $bytes) = blob(1_000_000);
my $key = $layout->blob_key($blob);
my $half = 0;

$r = $t->request('GET', path($blob), digest => 1, on_data => sub {
    $s3->put($key, random_bytes(1_000_000, 'replaced')) if !$half++;
});
ok($r->error ne '' || 'sha256:' . $r->sha256 eq $blob,
    'replaced meanwhile - no whole answer, or a right one');
$s3->put($key, $bytes);
is(sha($blob), $blob, 'replaced meanwhile - mended');

# faults of one request in five and more

for (['reset', close => 1, reset => 1], ['500', error => 'InternalError'],
    ['503', error => 'SlowDown'], ['cut', cut_body => 30_000],
    ['reset in the body', cut_body => 30_000, reset => 1])
{
    my ($name, %fault) = @$_;

    for my $every (5, 3) {
        ($blob) = blob(1_000_000);
        $s3->fault(key => qr/data$/, every => $every, %fault);
        is(sha($blob), $blob, "$name, one in $every");
        $s3->clear_faults();
    }
}

# few slices at a time: the next one is fetched while the one before it waits
# to be tried again, and does not come first

for my $parallel (1, 2, 3) {
    my $few = node(parallel => $parallel);

    # not in step with them, which would hit the same slice again and again
    for my $every ($parallel == 1 ? (2, 3) : (5, 7)) {
        ($blob) = blob(2_000_000);
        $s3->fault(key => qr/data$/, every => $every,
            error => 'InternalError');
        is(sha($blob, $few), $blob, "$parallel at a time, one in $every");
        is(sha($blob, $few), $blob, "$parallel at a time, one in $every, warm");
        $s3->clear_faults();
    }

    $few->stop();
}

# a connection that is far behind the others

($blob) = blob(2_000_000);
$s3->fault(key => qr/data$/, range => qr/^bytes=1310720-/, times => 1,
    rate => 5_000);
my $begun = time();
is(sha($blob), $blob, 'a slow connection');
cmp_ok(time() - $begun, '<', 8, 'a slow connection - is given up');
like($t->log(), qr/is slow at byte \d+/, 'a slow connection - log');
$s3->clear_faults();

# nothing comes from S3 any more

($blob, $bytes) = blob(1_000_000);
$s3->fault(key => qr/data$/, after => 5, close => 1);
$r = $t->request('GET', path($blob), digest => 1);
is($r->error, 'cut', 'S3 gone');
cmp_ok($r->length, '>=', $slice, 'S3 gone - some of it came');
$s3->clear_faults();
is(sha($blob), $blob, 'S3 back');

# files that leave the cache

($blob) = blob(1_000_000);
is(sha($blob), $blob, 'before slices leave the cache');
my @files = files();
unlink $files[$_ * 3] for 0 .. 4;
is(sha($blob), $blob, 'slices have left the cache');
is(sha($blob), $blob, 'slices have left the cache, again');

# clients that go away: everything is given back

($blob) = blob(8_000_000);
is(sha($blob), $blob, 'before clients go away') for 1 .. 2;
sleep 1;
my $before = descriptors();

for my $i (1 .. 60) {
    my ($blob) = $i % 3 ? ($blob) : blob(4_000_000);
    my $client = $t->client;
    my $socket = $client->connect();

    $client->write_all($socket, $client->format('GET', path($blob)));
    sysread $socket, my $data, 30_000 * ($i % 4) + 1;
    close $socket;
}

# connections to S3 are kept for some seconds

ok(wait_for(sub { descriptors() <= $before + 2 }, 10),
    'clients go away - descriptors') or diag "$before, ", descriptors();
is(sha($blob), $blob, 'clients go away - and others come');

# a slow client does not fetch all of it, only what the sockets hold and a
# little more

$blob = $layout->generated('team/app', 60_000_000, 'slow client');
$s3->forget();
$r = $t->request('GET', path($blob), digest => 1, rate => 300_000,
    abort_after => 600_000);
cmp_ok(scalar(ranges()), '<', 150, 'a slow client - S3 is not asked for all');

# a cache that is smaller than a blob

my $small = node(small => 1);

for (1 .. 3) {
    ($blob) = blob(4_000_000);
    is(sha($blob, $small), $blob, "a small cache, $_");
}

# no cache, and no slices

my $none = node(none => 1);

for (1 .. 2) {
    ($blob) = blob(3_000_000);
    is(sha($blob, $none), $blob, "no cache, $_");
}

($blob, $bytes) = blob(1_000_000);
$damages{'a bit changed'}->(qr/\Q@{[ substr $blob, 7 ]}\E/, $bytes);
isnt($none->request('GET', path($blob), digest => 1)->error, '',
    'no cache, a bit changed');
$s3->clear_faults();
$s3->fault(key => qr/data$/, every => 4, cut_body => 30_000);
is(sha($blob, $none), $blob, 'no cache, cut');
$s3->clear_faults();

my $whole = node(whole => 1);
$s3->forget();
($blob, $bytes) = blob(1_000_000);
is(sha($blob, $whole), $blob, 'no slices');
is($s3->count(key => qr/data$/), 1, 'no slices - one request');
is($whole->get(path($blob), Range => 'bytes=5-9')->body,
    substr($bytes, 5, 5), 'no slices, range');
($blob, $bytes) = blob(1_000_000);
$s3->fault(key => qr/data$/, times => 1, cut_body => 300_000);
is(sha($blob, $whole), $blob, 'no slices, cut');

finish();

###############################################################################

sub node {
    my (%opt) = @_;

    my %edit;

    $edit{http} = sub {
        $_[0] =~ s/(registry_s3_blobs.*?max_size=)\S+/${1}300k/sr
    } if $opt{small};

    $edit{server} = sub {
        $_[0] =~ s/proxy_cache registry_s3_blobs;/proxy_cache off;/r
    } if $opt{none};

    my $node = Test::Registry->new(s3 => $s3, timeout => 5, edit => \%edit);

    my $size = $opt{whole} ? 0 : '64k';

    $node->conf(<<"CONF");
%%main%%
worker_rlimit_nofile 4096;
events {
    worker_connections 1024;
}
http {
    %%http%%
    server {
        listen 127.0.0.1:%%port%%;
        %%server%%
        %%registry%%
        registry_slice_size $size;
        registry_slice_threshold 64k;
        registry_s3_patience 3s;
        registry_parallel @{[ $opt{parallel} // 16 ]};

        location /v2/ {
            registry on;
        }
    }
}
CONF

    return $node->start();
}


sub blob {
    my ($size) = @_;

    my $bytes = random_bytes($size, 'slices ' . $n++);
    my $blob = $layout->blob('team/app', $bytes);

    # the link is known: what is counted is data
    $s3->forget();

    return ($blob, $bytes);
}


sub path { return "/v2/team/app/blobs/$_[0]" }


sub sha {
    my ($blob, $node) = @_;

    my $r = ($node // $t)->request('GET', path($blob), digest => 1);

    return $r->error || 'sha256:' . $r->sha256;
}


sub range {
    my ($i) = @_;
    return sprintf 'bytes=%d-%d', $i * $slice, ($i + 1) * $slice - 1;
}


sub ranges {
    my @ranges = map { $_->{range} // '-' } $s3->requests(key => qr/data$/);

    @ranges = sort { ($a =~ /(\d+)/)[0] <=> ($b =~ /(\d+)/)[0] } @ranges;

    return @ranges;
}


{
    my %seen;

    sub seen { my ($blob, @slices) = @_;
        $seen{$blob}{$_} = 1 for @slices; return }
    sub cached { my ($blob, $slice) = @_; return $seen{$blob}{$slice} }
}


sub access_cache {
    my ($gets) = @_;

    return $t->last_access($gets)->{cache_status};
}


sub files {
    my @files;
    find({ no_chdir => 1, wanted => sub { push @files, $_ if -f } },
        glob $t->dir . '/cache/*blobs');
    return map { $_->[1] } sort { $b->[0] <=> $a->[0] }
        map { [ (stat $_)[9], $_ ] } @files;
}


sub descriptors {
    my ($worker) = $t->workers();
    my @fds = glob "/proc/$worker/fd/*";
    return scalar @fds;
}

###############################################################################
