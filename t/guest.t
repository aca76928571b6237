#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for a registry as a guest in somebody's nginx: what is set there for
# all sites changes nothing of ours, and we change nothing of other sites.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry qw/ finish nginx_has /;
use Test::Registry::Image;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Util qw/ write_file random_bytes temp_dir /;

###############################################################################

my $s3 = Test::Registry::S3->new();
my $layout = Test::Registry::Layout->new($s3);

# what a hostile host sets for all of its sites

my @settings = split /\n/, <<'SETTINGS';
gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any; gzip_http_version 1.0; gzip_vary on;
charset utf-8; charset_types *; override_charset on;
add_header X-Host guest always; add_header Cache-Control no-store always;
expires 1h; etag off; if_modified_since before; max_ranges 0;
error_page 400 401 403 404 405 413 416 500 502 503 504 /error.html; recursive_error_pages on;
client_max_body_size 1k; client_body_buffer_size 1k; client_body_in_file_only clean;
default_type text/html; types { text/html html; } server_tokens off; msie_padding on;
proxy_buffering off; proxy_request_buffering off; proxy_intercept_errors on; proxy_http_version 1.0;
proxy_set_header X-Guest yes; proxy_set_header Accept-Encoding gzip;
proxy_pass_request_headers off; proxy_pass_request_body off; proxy_method POST;
proxy_hide_header Content-Range; proxy_hide_header ETag; proxy_hide_header Content-Length;
proxy_ignore_headers Cache-Control Expires; proxy_redirect http://a/ http://b/;
proxy_cookie_domain a b; proxy_cookie_path /a /b; proxy_force_ranges on; proxy_limit_rate 1k;
proxy_read_timeout 1ms; proxy_send_timeout 1ms; proxy_connect_timeout 1ms; proxy_next_upstream off;
proxy_buffer_size 1k; proxy_buffers 2 1k; proxy_busy_buffers_size 1k; proxy_max_temp_file_size 0;
proxy_cache_path %%dir%%/cache/host keys_zone=host:1m; proxy_cache host; proxy_cache_key all;
proxy_cache_valid any 1h; proxy_cache_min_uses 3; proxy_cache_bypass 1; proxy_no_cache 1; proxy_cache_lock off;
proxy_cache_methods GET HEAD POST; proxy_cache_revalidate on; proxy_cache_use_stale error http_404 updating;
proxy_cache_background_update on; proxy_cache_convert_head off; proxy_ignore_client_abort off;
subrequest_output_buffer_size 1; postpone_output 100000; output_buffers 1 512; sendfile off; tcp_nopush on;
chunked_transfer_encoding off; log_not_found off; log_subrequest on; merge_slashes off; ignore_invalid_headers off;
resolver 127.0.0.99; resolver_timeout 1s; keepalive_requests 3; aio off; directio 512; read_ahead 1;
open_file_cache max=100; open_file_cache_min_uses 1; satisfy any; limit_rate_after 1;
SETTINGS

push @settings, 'sub_filter schemaVersion XXXX; sub_filter a b; '
    . 'sub_filter_once off; sub_filter_types *; sub_filter_last_modified on;'
    if nginx_has('http_sub');
push @settings, 'add_before_body /x; add_after_body /x; addition_types *;'
    if nginx_has('http_addition');
push @settings, 'gunzip on;' if nginx_has('http_gunzip');
push @settings, 'ssi on; ssi_types *; ssi_silent_errors on;';

my $hostile = join "\n", @settings;

my $plain = Test::Registry->node($s3);
my $guest = node($hostile, 1);

# one of each

my $image = Test::Registry::Image->new(layers => [ 10, 70_000, 2_000_000 ]);
my $digest = $layout->image('team/app', $image, 'v1', 'aaa');
my $text = $layout->blob('team/app', '<html>a<!--# echo var="uri" -->' x 1000);

my @requests = (
    [ 'GET', '/v2/' ], [ 'HEAD', '/v2/' ],
    [ 'GET', '/v2/team/app/manifests/v1' ],
    [ 'HEAD', '/v2/team/app/manifests/v1' ],
    [ 'GET', "/v2/team/app/manifests/$digest" ],
    [ 'GET', "/v2/team/app/manifests/$digest", headers =>
        [ 'If-None-Match', qq("$digest") ] ],
    [ 'GET', "/v2/team/app/manifests/$digest", headers =>
        [ 'If-Modified-Since', 'Tue, 05 Nov 2024 10:11:12 GMT' ] ],
    (map { my $d = $_; map { [ $_, "/v2/team/app/blobs/$d" ],
        [ $_, "/v2/team/app/blobs/$d", headers =>
            [ 'Accept-Encoding', 'gzip', 'Cookie', 'a=b' ] ] } 'GET', 'HEAD' }
        $text, map { $_->{digest} } $image->blobs),
    [ 'GET', "/v2/team/app/blobs/$text", headers =>
        [ Range => 'bytes=5-99' ] ],
    [ 'GET', "/v2/team/app/blobs/$text", headers =>
        [ Range => 'bytes=0-1,3-4' ] ],
    [ 'GET', "/v2/team/app/blobs/$text", headers =>
        [ Range => 'bytes=99999999-' ] ],
    [ 'GET', '/v2/team/app/tags/list' ],
    [ 'GET', '/v2/team/app/tags/list?n=1' ],
    [ 'GET', '/v2/_catalog' ],
    [ 'GET', '/v2/team/none/tags/list' ],
    [ 'GET', '/v2/team/app/manifests/none' ],
    [ 'GET', '/v2/Team/manifests/v1' ], [ 'GET', '/v2/nowhere' ],
    [ 'GET', '/v2/team/app/blobs/sha256:' . '0' x 64 ],
    [ 'DELETE', '/v2/team/app/manifests/v1' ],
    [ 'PUT', '/v2/team/app/manifests/v1', body => 'x' x 5000 ],
    [ 'POST', '/v2/team/app/blobs/uploads/', body => 'x' x 5000 ],
);

for my $round ('miss', 'hit') {
    for my $request (@requests) {
        my ($method, $path, %opt) = @$request;
        my $name = join ' ', $method, substr($path, 0, 40),
            @{$opt{headers} // []}, $round;

        is(essence($guest->request(@$request)),
            essence($plain->request(@$request)), $name);
    }
}

# and with S3 failing

$s3->fault(key => qr/failing/, error => 'AccessDenied');
$s3->fault(key => qr/broken/, error => 'InternalError');

for my $tag ('failing', 'broken') {
    my $r = $guest->get("/v2/team/app/manifests/$tag");

    is($r->status, $tag eq 'failing' ? 502 : 503, "$tag S3 - status");
    ok($r->code, "$tag S3 - error document");
}

is(join(' ', map { $_->{auth} } $s3->unsigned()), '',
    'all requests to S3 rightly signed');
is(scalar(grep { $_->{headers}{cookie} || $_->{headers}{'x-guest'} }
    $s3->requests()), 0, 'nothing of the host goes to S3');

# what no location can take back, unless it sets it itself

is(node('proxy_set_body body;', 1)->get('/v2/team/app/manifests/v1')->status,
    200, 'proxy_set_body');

# what a server does with its clients is not for requests to S3, and less so
# for those that no client has asked for

my $strict = Test::Registry->node($s3,
    http => 'geo $stranger { default 0; } map $stranger $odd { 1 1; }',
    server => 'if ($stranger) { return 403; } if ($odd) { return 444; }
        rewrite ^/registry_s3/ /elsewhere/ last;
        if ($request_uri = "") { return 403; }');

is($strict->get('/v2/team/app/manifests/v1')->status, 200,
    'rewrites of the server, manifest');
is($strict->get("/v2/team/app/blobs/$text")->sha256, $text =~ s/^sha256://r,
    'rewrites of the server, blob');
like($strict->log, qr/credentials of environment: ready/,
    'rewrites of the server, question at start');

# what reads bodies before a push can

my $uploads = temp_dir('uploads');
my $push = Test::Registry->node($s3, http => 'mirror /mirror;', location =>
    "registry_push on; registry_upload_path $uploads;");
my $blob = random_bytes(2_000_000, 'mirrored');

is($push->request('POST', '/v2/team/app/blobs/uploads/?digest='
    . $layout->can('digest')->($blob), body => $blob)->status, 201,
    'mirror of the host, push');

# a node may pass on what it does not write

my $relay = 'proxy_pass http://127.0.0.1:' . $push->port . ';';
my $relaying = Test::Registry->node($s3, location =>
    "limit_except GET HEAD { $relay } if (\$arg_there) { $relay }");

is($relaying->request('POST', '/v2/team/app/blobs/uploads/', body => '')
    ->status, 202, 'limit_except with proxy_pass');
is($relaying->get('/v2/team/app/blobs/uploads/x?there=1')->status, 404,
    'if with proxy_pass');
is($relaying->get('/v2/team/app/manifests/v1')->status, 200,
    'without, the registry');

# other sites: the same bytes as without us

for my $settings ('', $hostile) {
    my $name = $settings ? 'hostile host' : 'plain host';
    my $with = $settings ? $guest : node('', 1);
    my $without = node($settings, 0);

    for (['GET', '/'], ['GET', '/index.html'], ['HEAD', '/index.html'],
        ['GET', '/data.bin'], ['GET', '/none'], ['GET', '/proxied/data.bin'],
        ['GET', '/proxied/none'], ['POST', '/index.html', body => 'x' x 3000],
        ['GET', '/index.html', headers => [ 'Accept-Encoding', 'gzip' ]],
        ['GET', '/data.bin', headers => [ Range => 'bytes=1-9' ]],
        ['GET', '/v2/'])
    {
        my ($method, $path, %opt) = @$_;

        is(bytes($with, $method, $path, %opt),
            bytes($without, $method, $path, %opt),
            "$name, other site, $method $path "
            . join ' ', @{$opt{headers} // []});
    }
}

finish();

###############################################################################

# What a client of a registry sees of an answer.

sub essence {
    my ($r) = @_;

    return join "\n", $r->status, $r->complete ? 'whole' : $r->error,
        (map { "$_: " . ($r->header($_) // '-') } qw/ Content-Type
            Content-Length Content-Encoding Content-Range Accept-Ranges ETag
            Docker-Content-Digest Docker-Distribution-Api-Version Allow Link
            Location Transfer-Encoding /), $r->sha256;
}


sub bytes {
    my ($node, @request) = @_;

    my $port = $node->port('site');
    my $r = $node->client(port => $port, host => 'site')->request(@request);
    my $head = $r->head =~ s/^(?:Date|Expires|Last-Modified|ETag): .*\r?\n//mgr;

    return "$head\n" . $r->sha256;
}


# nginx with a site of its own, and our registry or not.

sub node {
    my ($settings, $registry) = @_;

    my $node = Test::Registry->new($registry ? (s3 => $s3) : ());
    my $dir = $node->dir;

    write_file("$dir/html/$_", "$_ <b>a site</b> schemaVersion\n" x 50)
        for 'index.html', 'error.html', 'x';
    write_file("$dir/html/data.bin", random_bytes(20_000, 'site'));

    my $ours = $registry ? <<'OURS' : '';
    server {
        listen 127.0.0.1:%%port%%;
        %%server%%
        %%registry%%
        location /v2/ {
            registry on;
        }
    }
OURS

    my $http = $registry ? '%%http%%'
        : "client_body_temp_path $dir/temp/c; proxy_temp_path $dir/temp/p; "
        . 'access_log off;';

    $node->conf(<<"CONF");
%%main%%
events {}
http {
    $http
    $settings
    $ours
    server {
        listen 127.0.0.1:%%port:site%%;
        root $dir/html;
        location /proxied/ {
            # a busy machine is no difference between the two
            proxy_connect_timeout 30s;
            proxy_send_timeout 30s;
            proxy_read_timeout 30s;
            proxy_pass http://127.0.0.1:%%port:back%%/;
        }
    }
    server {
        listen 127.0.0.1:%%port:back%%;
        root $dir/html;
    }
}
CONF

    return $node->start();
}

###############################################################################
