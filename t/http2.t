#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests over HTTP/2.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry qw/ finish nginx_has /;
use Test::Registry::Client;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Util qw/ need random_bytes wait_for /;

###############################################################################

need('curl-http2');
plan(skip_all => 'nginx without HTTP/2') unless nginx_has('http_v2');

my $s3 = Test::Registry::S3->new();
my $layout = Test::Registry::Layout->new($s3);
my $t = Test::Registry->new(s3 => $s3);

$t->conf(<<'CONF')->start();
%%main%%
events {}
http {
    %%http%%
    server {
        listen 127.0.0.1:%%port%% http2;
        %%server%%
        %%registry%%
        location /v2/ { registry on; registry_s3_patience 2s; }
    }
}
CONF

my $bytes = random_bytes(3_000_000, 'h2');
my $blob = $layout->blob('team/app', $bytes);
my $manifest = $layout->manifest('team/app', '{"schemaVersion":2}', 'v1');
my $c = Test::Registry::Client->new(port => $t->port);

is($c->http2('/v2/')->body, '{}', 'base');

for my $name ('miss', 'hit') {
    my $r = $c->http2('/v2/team/app/manifests/v1');

    is($r->status, 200, "manifest, $name");
    is($r->header('Docker-Content-Digest'), $manifest,
        "manifest, $name - digest");

    $r = $c->http2("/v2/team/app/blobs/$blob");
    is($r->error, '', "blob, $name");
    ok($r->body eq $bytes, "blob, $name - bytes");

    $r = $c->http2("/v2/team/app/blobs/$blob", Range => 'bytes=5-9');
    is($r->status, 206, "range, $name");
    is($r->body, substr($bytes, 5, 5), "range, $name - bytes");
}

my $r = $c->http2('/v2/team/app/manifests/none');

is($r->status, 404, 'unknown');
is($r->code, 'MANIFEST_UNKNOWN', 'unknown - code');

# S3 breaks off: curl must notice

my $broken = $layout->generated('team/app', 5_000_000, 'broken');
my $key = qr/\Q@{[ $layout->blob_key($broken) ]}\E/;

$s3->fault(key => $key, cut_body => 0, after => 1);
$s3->fault(key => $key, cut_body => 1_000_000, times => 1);

$r = $c->http2("/v2/team/app/blobs/$broken");
isnt($r->error, '', 'broken off');

$s3->clear_faults();
ok(wait_for(sub { $c->http2("/v2/team/app/blobs/$broken")->sha256
    eq substr $broken, 7 }, 10), 'whole again');

finish();

###############################################################################
