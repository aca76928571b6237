#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for mirrors: "?ns=" says which registry a client believes to ask.

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

my $digest = $layout->manifest('library/nginx', '{"schemaVersion":2}', 'v1');
my $blob = $layout->blob('library/nginx', 'content');

my @paths = map { "/v2/library/nginx/$_" } 'manifests/v1',
    "manifests/$digest", "blobs/$blob", 'tags/list';

# without the directive any name will do

my $any = Test::Registry->node($s3);

for my $path (@paths) {
    is($any->get("$path?ns=docker.io")->status, 200, "any, $path");
}

# with it, these and requests that do not say

my $t = Test::Registry->node($s3,
    registry => 'registry_ns docker-local.example.com mirror.test:5000;');

for my $path (@paths) {
    for my $ns ('docker-local.example.com', 'Docker-Local.Example.com',
        'mirror.test:5000', 'mirror.test%3A5000')
    {
        is($t->get("$path?ns=$ns")->status, 200, "$ns, $path");
        is($t->head("$path?x=1&ns=$ns")->status, 200, "$ns, $path - HEAD");
    }

    is($t->get($path)->status, 200, "no ns, $path");

    for my $ns ('docker.io', 'mirror.test', '', 'docker-local.example.co',
        '%zz')
    {
        my $r = $t->get("$path?ns=$ns");

        is($r->status, 404, "ns=$ns, $path - 404");
        is($r->code, 'NAME_UNKNOWN', "ns=$ns, $path - code");
    }
}

is($t->get('/v2/?ns=docker.io')->status, 200, 'base');

finish();

###############################################################################
