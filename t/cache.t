#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for caches that were damaged on disk, and for what is remembered of
# objects that were damaged in S3.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Find ();

use Test::Registry;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Util qw/ random_bytes read_file temp_dir /;

###############################################################################

my $s3 = Test::Registry::S3->new();
my $layout = Test::Registry::Layout->new($s3);
my $t = Test::Registry->node($s3);

# a manifest whose copy has changed

my $json = '{"schemaVersion":2,"annotations":{"x":"a manifest"}}';
my $digest = $layout->manifest('team/app', $json, 'v1');
my $path = "/v2/team/app/manifests/$digest";

is($t->get($path)->body, $json, 'manifest');
is(change('meta', sub { $_[0] =~ s/a manifest/A MANIFEST/r }), 1,
    'damaged manifest - a copy');

$s3->forget();
is($t->get($path)->body, $json, 'damaged manifest');
is($s3->count(), 1, 'damaged manifest - fetched again');
like($t->log(), qr/\[warn\].*\Q$digest\E.*damaged/, 'damaged manifest - log');
is($t->get($path)->body, $json, 'damaged manifest - mended');
is($s3->count(), 1, 'damaged manifest - no longer fetched');

# on a disk that does not let go of it, as one that has become read-only

SKIP: {
    change('meta', sub { $_[0] =~ s/schemaVersion/schemaVersioN/r });

    skip('this file system has no immutable files', 1) unless hold(1);

    my $r = $t->client(timeout => 5)->get($path);
    hold(0);
    is($r->body, $json, 'damaged manifest that cannot be removed')
        or diag $r->error;
}

# a blob whose copy has lost its end

my $bytes = random_bytes(300_000, 'blob');
my $blob = $layout->blob('team/app', $bytes);
$path = "/v2/team/app/blobs/$blob";

is($t->request('GET', $path, digest => 1)->length, 300_000, 'blob');
is(change('blobs', sub { substr $_[0], 0, 100_000 }), 1,
    'cut blob - a copy');

for my $time ('first', 'second') {
    my $r = $t->request('GET', $path, digest => 1);

    is('sha256:' . $r->sha256, $blob, "cut blob - bytes, $time time");
}

$s3->forget();
is('sha256:' . $t->request('GET', $path, digest => 1)->sha256, $blob,
    'cut blob - bytes, third time');
is($s3->count(key => qr/data$/), 0, 'cut blob - mended');

# the same of one that is sent as a whole

for my $left (0, 10) {
    my $config = $layout->blob('team/app', "a small blob, cut to $left");
    my $path = "/v2/team/app/blobs/$config";

    $t->get($path);
    is(change('blobs', sub { $_[0] =~ /^a small/ ? substr $_[0], 0, $left
        : $_[0] }), $left ? 2 : 1, "small blob, cut to $left - a copy");

    for my $time ('first', 'second') {
        my $r = $t->get($path);

        is($r->status, 200, "small blob, cut to $left - $time time");
        is($r->body, "a small blob, cut to $left",
            "small blob, cut to $left - bytes, $time time");
    }
}

# an object that S3 had not whole, and now has: HEAD as GET

$bytes = random_bytes(200_000, 'mended');
$blob = $layout->blob('team/app', $bytes);
$path = "/v2/team/app/blobs/$blob";

$s3->put($layout->blob_key($blob), substr $bytes, 0, 1000);
is($t->head($path)->header('Content-Length'), 1000, 'cut object - HEAD');

$s3->put($layout->blob_key($blob), $bytes);
is($t->request('GET', $path, digest => 1)->length, 200_000,
    'mended object - GET');
is($t->head($path)->header('Content-Length'), 200_000,
    'mended object - HEAD');

# what a garbage collection took while its link stayed: a host that writes
# must not say that it is there, or it will not be sent

my $uploads = temp_dir('uploads');
my $writer = Test::Registry->node($s3, location =>
    "registry_push on; registry_upload_path $uploads;");
my $taken = Test::Registry::Layout::digest('taken');

is($writer->request('POST', "/v2/team/app/blobs/uploads/?digest=$taken",
    body => 'taken')->status, 201, 'collected blob - pushed');
$s3->forget();
is($writer->head("/v2/team/app/blobs/$taken")->status, 200,
    'collected blob - HEAD before');
is($s3->count(), 1, 'collected blob - HEAD before, of the link only');

$s3->delete($layout->blob_key($taken));
select undef, undef, undef, 33;

is($writer->head("/v2/team/app/blobs/$taken")->status, 404,
    'collected blob - HEAD');
is($writer->request('POST', '/v2/team/other/blobs/uploads/'
    . "?mount=$taken&from=team/app", body => '')->status, 202,
    'collected blob - mount');

finish();

###############################################################################

# Makes the files of the cache stay, or not.

sub hold {
    my ($on) = @_;
    my @files;

    File::Find::find({ no_chdir => 1, wanted => sub {
        push @files, $_ if $> == 0 ? -f : -d;
    } }, $t->dir . '/cache');

    return system('chmod', $on ? 'a-w' : 'u+w', @files) == 0 if $> != 0;
    return system('sh', '-c', 'chattr "$@" 2>/dev/null', 'sh',
        $on ? '+i' : '-i', @files) == 0;
}


# Changes the body of each file of a cache; returns how many there were that
# had one to change.

sub change {
    my ($cache, $code) = @_;
    my $n = 0;

    File::Find::find({ no_chdir => 1, wanted => sub {
        return unless -f;

        my $old = read_file($_);
        my ($head, $body) = $old =~ /^(.*?\r\n\r\n)(.*)$/s or return;
        my $new = $code->($body);
        return if $new eq $body;

        # in place, as a disk does it

        open my $fh, '+<:raw', $_ or die "$_: $!";
        print $fh $head . $new;
        truncate $fh, length($head) + length $new;
        close $fh or die "$_: $!";
        $n++;
    } }, glob $t->dir . "/cache/*$cache");

    return $n;
}

###############################################################################
