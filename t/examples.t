#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for the configurations that are shipped: they start beside other
# sites, serve, log, and keep what they have cached.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Util qw/ root_dir read_file write_file wait_for /;

###############################################################################

my $s3 = Test::Registry::S3->new();
my $layout = Test::Registry::Layout->new($s3);
my $digest = $layout->manifest('team/app', '{"schemaVersion":2}', 'v1');

for my $file (root_dir() . '/conf-examples/node.conf') {
    my ($name) = $file =~ m{([^/]+)$};
    my $t = Test::Registry->new(s3 => $s3,
        env => { AWS_ENDPOINT_URL_S3 => $s3->endpoint });
    my $dir = $t->dir;

    my $text = read_file($file);

    like($text, qr{include /etc/nginx/registry_http\.conf;},
        "$name - http level");
    like($text, qr{/var/log/nginx/}, "$name - logs to /var/log/nginx");
    cmp_ok(scalar(grep { /^\s*[^#\s]/ } split /\n/, $text), '<=', 25,
        "$name - at most 25 lines");

    $t->example($name);
    mkdir "$dir/html";
    write_file("$dir/html/index.html", 'another site');

    # the http block of Debian's nginx.conf

    $t->conf(<<"CONF")->start();
%%main%%
events {}
http {
    sendfile on;
    tcp_nopush on;
    types_hash_max_size 2048;
    default_type application/octet-stream;
    gzip on;
    client_body_temp_path $dir/temp/c;
    proxy_temp_path $dir/temp/p;
    access_log $dir/access.log;
    include $dir/conf.d/*.conf;
    server {
        listen 127.0.0.1:%%port:site%%;
        root $dir/html;
    }
}
CONF

    my $r = $t->get('/v2/team/app/manifests/v1');

    is($r->status, 200, "$name - serves");
    is($t->client(port => $t->port('site'))->get('/')->body, 'another site',
        "$name - beside another site");

    $t->get("/v2/team/app/manifests/$digest");

    my $log = sub { read_file("$dir/logs/registry.access.log") };
    ok(wait_for(sub { $log->() =~ /\Q$digest\E/ }, 2), "$name - access log");
    like($log->(), qr{GET /v2/team/app/manifests/v1.*\b200\b.*team/app.*MISS}s,
        "$name - access log tells what was done");
    ok(wait_for(sub { read_file("$dir/logs/registry.error.log")
        . read_file("$dir/error.log") =~ /registry: bucket/ }, 5),
        "$name - error log");

    # a cache that is there after a night

    for my $cache (read_file("$dir/registry_http.conf")
        =~ /^proxy_cache_path\s+([^;]+);/mg)
    {
        like($cache, qr/\binactive=\d+y\b/, "$name - is kept for years");
        like($cache, qr/\bmin_free=\d+[mg]\b/, "$name - leaves room");
        like($cache, qr/\bmax_size=\d+[mg]\b/, "$name - has a limit");
    }
}

finish();

###############################################################################
