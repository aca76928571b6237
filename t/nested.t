#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for locations within a registry that protect a part of its names: no
# spelling of a path gets around them, no other repository gives their blobs.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::Layout;
use Test::Registry::S3;

###############################################################################

my $s3 = Test::Registry::S3->new();
my $layout = Test::Registry::Layout->new($s3);

my $t = Test::Registry->new(s3 => $s3);

$t->conf(<<'CONF')->start();
%%main%%
events {}
http {
    %%http%%

    server {
        listen 127.0.0.1:%%port%%;
        %%server%%
        %%registry%%

        location /v2/ {
            registry on;

            location /v2/secret/ {
                registry on;
                deny all;
            }

            location = /v2/_catalog {
                registry on;
                deny all;
            }
        }

        location /team/v2/ {
            registry on;

            location /team/v2/secret/ {
                registry on;
                registry_s3_prefix other;
            }
        }
    }
}
CONF

my $json = '{"schemaVersion":2,"mediaType":'
    . '"application/vnd.oci.image.manifest.v1+json","layers":[]}';
my $other = Test::Registry::Layout->new($s3, prefix => 'other');
my $open = $layout->blob('team/app', 'open');
my $hidden = $layout->blob('secret/app', 'hidden');

$layout->manifest($_, $json, 'v1') for qw{ team/app secret/app secretary };
$other->manifest('secret/app', "$json ", 'v1');

# below another path

my $r = $t->get('/team/v2/secret/app/manifests/v1');
is($r->status, 200, 'location within a location');
is($r->body, "$json ", 'location within a location - its prefix');
is($t->get('/team/v2/team/app/manifests/v1')->body, $json, 'the outer one');

# what is open

is($t->get('/v2/')->status, 200, 'version check');
is($t->get('/v2/team/app/manifests/v1')->status, 200, 'open');
is($t->get('/v2/secretary/manifests/v1')->status, 200,
    'a name that only begins like it');
is($t->get("/v2/team/app/blobs/$open")->body, 'open', 'open blob');

# what is not

for my $path ('/v2/secret/app/manifests/v1', '/v2/secret/app/tags/list',
    "/v2/secret/app/blobs/$hidden", '/v2/secret/manifests/v1', '/v2/_catalog',
    '/v2//secret/app/manifests/v1', '/v2/./secret/app/manifests/v1',
    '/v2/team/../secret/app/manifests/v1', '/v2/%73ecret/app/manifests/v1',
    '/v2/secret%2fapp/manifests/v1', '/v2%2fsecret/app/manifests/v1',
    '/v2/team/%2e%2e/secret/app/manifests/v1', '/%76%32/secret/app/tags/list',
    '//v2/secret/app/manifests/v1', '/v2/team/..%2fsecret/app/tags/list')
{
    for my $method (qw/ GET HEAD /) {
        $r = $t->request($method, $path);

        is($r->status, 403, "$method $path - 403");
        is($r->header('Content-Type'), 'application/json',
            "$method $path - type");
    }

    is($t->get($path)->code, 'DENIED', "$path - code");
}

isnt($t->get('/v2/SECRET/app/manifests/v1')->status, 200, 'another case');
is($t->get("/v2/team/app/blobs/$hidden")->status, 404,
    'a blob by another repository');

finish();

###############################################################################
