#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for the base of the API, for paths and methods that it does not have,
# and for what all answers have in common.

###############################################################################

use warnings;
use strict;

use Test::More;

use Encode qw/ decode_utf8 /;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::Layout;
use Test::Registry::S3;

###############################################################################

my $s3 = Test::Registry::S3->new();
my $layout = Test::Registry::Layout->new($s3);
my $t = Test::Registry->node($s3);

my $digest = $layout->blob('team/app', 'content');
my $none = 'sha256:' . '0' x 64;

$layout->manifest('team/app', '{"schemaVersion":2}', 'v1');

# OCI Distribution Spec, end-1

my $r = $t->get('/v2/');

is($r->status, 200, 'base');
is($r->body, '{}', 'base - body');
is($r->header('Content-Type'), 'application/json', 'base - type');
is($r->header('Content-Length'), 2, 'base - length');

$r = $t->head('/v2/');

is($r->status, 200, 'base, HEAD');
is($r->header('Content-Length'), 2, 'base, HEAD - length');
is($r->length . $r->extra, '0', 'base, HEAD - no body');

is($s3->count(), 0, 'base - without S3');

# what is no endpoint

for my $path ('/v2/team', '/v2/team/app', '/v2/team/app/', '/v2/team/app/tags',
    '/v2/team/app/tags/list/', '/v2/team/app/manifests',
    '/v2/team/app/manifests/', '/v2/team/app/blobs/', '/v2/_catalog/',
    '/v2/_other', '/v2/team/app/other/v1', '/v2/manifests/v1',
    '/v2/tags/list', '/v2/blobs/' . $digest)
{
    $r = $t->get($path);

    is($r->status, 404, "no endpoint $path - 404");
    ok($r->code, "no endpoint $path - error document");
}

# as a location has it, and right behind any proxy

$r = $t->get('/v2');
is($r->status, 301, 'without a slash - 301');
is($r->header('Location'), '/v2/', 'without a slash - where to');

# names

my $long = join '/', ('a' x 60) x 4;

for my $name ('Team/app', 'team/App', '-team', 'team-', 'team/_app',
    'team/app.', 'team..app', 'team___app', 'te am', "te\xc3\xa4m", "$long/$long")
{
    my $escaped = $name =~ s/([^\w.\/-])/sprintf '%%%02X', ord $1/ger;
    $r = $t->get("/v2/$escaped/manifests/v1");

    is($r->status, 400, "name $name - 400");
    is($r->code, 'NAME_INVALID', "name $name - code");
    is($r->oci_error->{detail}, decode_utf8($name), "name $name - detail");
}

for my $name ('a', 'a/b/c/d/e', 'a--b', 'a__b', 'a.b-c_d', '0/1', $long) {
    $r = $t->get("/v2/$name/manifests/v1");

    is($r->status, 404, "name $name - valid");
    is($r->code, 'MANIFEST_UNKNOWN', "name $name - code");
}

# methods: nothing that writes, RFC 9110, Allow

my %routes = (
    '/v2/' => 'GET, HEAD',
    '/v2/team/app/manifests/v1' => 'GET, HEAD',
    "/v2/team/app/manifests/$digest" => 'GET, HEAD',
    "/v2/team/app/blobs/$digest" => 'GET, HEAD',
    '/v2/team/app/blobs/uploads/' => '',
    '/v2/team/app/blobs/uploads/0193-a-session' => '',
    '/v2/team/app/tags/list' => 'GET, HEAD',
    '/v2/_catalog' => 'GET, HEAD'
);

for my $path (sort keys %routes) {
    for my $method (qw/ POST PUT PATCH DELETE OPTIONS BREW /) {
        $r = $t->request($method, $path);

        is($r->status, 405, "$method $path - 405");
        is($r->code, 'UNSUPPORTED', "$method $path - code");
        is($r->header('Allow'), $routes{$path}, "$method $path - Allow");
    }
}

$r = $t->get('/v2/team/app/blobs/uploads/0193-a-session');
is($r->status, 405, 'GET of an upload - 405');

# a body that nobody wants does not spoil the connection

my $c = $t->client(keepalive => 1);

$r = $c->request('PUT', '/v2/team/app/manifests/v2', body => 'x' x 100_000,
    headers => [ 'Content-Type', 'application/json' ]);
is($r->status, 405, 'body with Content-Length');

$r = $c->request('PATCH', '/v2/team/app/blobs/uploads/1',
    chunked => [ ('y' x 5000) x 10 ]);
is($r->status, 405, 'chunked body');

$r = $c->get('/v2/team/app/tags/list');
is($r->status, 200, 'connection goes on after bodies');

# on all answers

for (['GET', '/v2/', 200], ['GET', '/v2/team/app/manifests/v1', 200],
    ['HEAD', '/v2/team/app/manifests/v1', 200],
    ['GET', "/v2/team/app/blobs/$digest", 200],
    ['GET', '/v2/team/app/tags/list', 200], ['GET', '/v2/_catalog', 200],
    ['GET', '/v2/nowhere', 404], ['GET', '/v2/Team/tags/list', 400],
    ['GET', "/v2/team/app/blobs/$none", 404],
    ['HEAD', "/v2/team/app/blobs/$none", 404],
    ['DELETE', '/v2/team/app/manifests/v1', 405])
{
    my ($method, $path, $status) = @$_;
    $r = $t->request($method, $path);

    is($r->status, $status, "$method $path - $status");
    is($r->header('Docker-Distribution-Api-Version'), 'registry/2.0',
        "$method $path - API version");
    ok($r->complete && $r->extra eq '', "$method $path - whole");
    is(scalar(() = $r->header_lines('Content-Length')), 1,
        "$method $path - one Content-Length");
}

# errors by HEAD have a length and no body

$r = $t->head('/v2/team/app/manifests/none');
is($r->header('Content-Type'), 'application/json', 'error, HEAD - type');
is($r->extra, '', 'error, HEAD - no body');

is(scalar($s3->unsigned()), 0, 'all requests to S3 rightly signed');

finish();

###############################################################################
