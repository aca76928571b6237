#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for how a bucket is reached: style, prefix, extra headers, names that
# are resolved while nginx runs, what the log says at start.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::DNS;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Util qw/ wait_for /;

###############################################################################

my $s3 = Test::Registry::S3->new();
my $layout = Test::Registry::Layout->new($s3);
my $dns = Test::Registry::DNS->new();
my $resolver = 'resolver ' . $dns->address . ' ipv6=off;';
my $url = 'http://s3.test:' . $s3->port;

my $digest = $layout->manifest('team/app', '{"schemaVersion":2}', 'v1');
my $path = '/v2/team/app/manifests/v1';

# at start: where, as whom, with what result

my $t = Test::Registry->node($s3);

like($t->log(), qr/\[notice\].*registry: bucket "images", prefix "", endpoint/,
    'start - where');
like($t->log(), qr/region "eu-central-1", credentials of environment: ready/,
    'start - as whom, with what result');
unlike($t->log(), qr/nothing lies under/, 'start - not empty');

# virtual-host style

my $virtual = Test::Registry->new(s3 => $s3, endpoint => $url,
    server => $resolver);
$virtual->conf(conf() =~ s/%%registry%%/registry_s3_bucket images;
    registry_s3_region eu-central-1; registry_s3_endpoint $url;
    registry_s3_path_style off;/r)->start();

is($virtual->get($path)->status, 200, 'virtual-host style');
is($virtual->get('/v2/team/app/tags/list')->status, 200,
    'virtual-host style - list');
my ($request) = $s3->requests();
like($request->{headers}{host}, qr/^images\.s3\.test:\d+$/,
    'virtual-host style - Host');

# a path in front of the bucket's, and a prefix inside it

for my $prefix ('some/root', '/some/root/', 'some/root/') {
    Test::Registry::Layout->new($s3, prefix => 'some/root')
        ->manifest('team/below', '{"schemaVersion":2}', 'v1');

    my $node = Test::Registry->node($s3, prefix => $prefix);

    is($node->get('/v2/team/below/manifests/v1')->status, 200,
        "prefix $prefix");
    is($node->get($path)->status, 404, "prefix $prefix - nothing beside it");
    is_deeply($node->get('/v2/_catalog')->json->{repositories},
        [ 'team/below' ], "prefix $prefix - catalog");
}

my $odd = Test::Registry::Layout->new($s3, prefix => 'a.b_c-d/E/0');
$odd->manifest('team/odd', '{"schemaVersion":2}', 'v1');
my $node = Test::Registry->node($s3, prefix => '"a.b_c-d/E/0"');
is($node->get('/v2/team/odd/manifests/v1')->status, 200, 'odd prefix');
is($node->get('/v2/team/odd/tags/list')->status, 200, 'odd prefix - list');

# a prefix with nothing below it

$node = Test::Registry->node($s3, prefix => 'nothing/here');
ok($node->wait_log(
    qr/\[warn\].*nothing lies under.*rootdirectory is registry_s3_prefix/),
    'empty prefix - warning');

# headers of the operator are sent and signed

$node = Test::Registry->node($s3, registry =>
    'registry_s3_header x-amz-request-payer requester all;'
    . 'registry_s3_header x-amz-expected-bucket-owner 111122223333 all;'
    . 'registry_s3_header x-amz-storage-class STANDARD_IA;');

is($node->get($path)->status, 200, 'headers');
($request) = $s3->requests(key => qr/current.link$/);
is($request->{headers}{'x-amz-request-payer'}, 'requester',
    'headers - of all requests');
is($request->{headers}{'x-amz-expected-bucket-owner'}, '111122223333',
    'headers - another one');
is($request->{headers}{'x-amz-storage-class'}, undef,
    'headers - not those of writes');

# nothing of the client gets through

$s3->forget();
$node->get('/v2/team/app/blobs/' . $layout->blob('team/app', 'private'),
    'Authorization' => 'Basic c2VjcmV0', 'Cookie' => 'secret=1',
    'x-amz-security-token' => 'secret', 'X-Forwarded-For' => '10.0.0.1',
    'x-amz-meta-secret' => 'secret', 'Expect' => undef,
    'If-Modified-Since' => 'Tue, 05 Nov 2024 10:11:12 GMT',
    'Accept-Encoding' => 'gzip', 'User-Agent' => 'secret');

for ($s3->requests()) {
    unlike(join(' ', %{$_->{headers}}), qr/secret|10\.0\.0\.1/,
        'no header of the client at S3');
}

is(scalar($s3->unsigned()), 0, 'all requests to S3 rightly signed');

# names are resolved when they are needed, and again when they have changed

my $named = Test::Registry->node($s3, endpoint => $url, server => $resolver,
    probe => 0);

is($named->get($path)->status, 200, 'by name');
ok((grep { $_ eq 'A s3.test' } $dns->queries()), 'by name - was asked');

# no DNS when nginx starts, and later there is

$dns->stop();
$node = Test::Registry->node($s3, endpoint => $url, probe => 0,
    server => "$resolver resolver_timeout 1s;");

my $r = $node->get($path);
is($r->status, 503, 'no DNS at start - 503');
is($r->code, 'UNAVAILABLE', 'no DNS at start - code');
like($r->message, qr/resolve/, 'no DNS at start - message');
like($node->log(), qr/\[(?:error|warn)\].*registry: .*resolve/,
    'no DNS at start - log');

is($named->get($path)->status, 200, 'DNS gone - address stays in use');

$dns->start();
ok(wait_for(sub { $node->get($path)->status == 200 }, 10), 'DNS is back');

# a name that nobody knows

$node = Test::Registry->node($s3, probe => 0, server => $resolver,
    endpoint => 'http://other.example.com:' . $s3->port);
$r = $node->get($path);

is($r->status, 503, 'unknown name - 503');
like($r->message, qr/resolve/, 'unknown name - message');

# one registry below a path, two in one server

my $two = Test::Registry->new(s3 => $s3);
$two->conf(<<'CONF')->start();
%%main%%
events {}
http {
    %%http%%
    server {
        listen 127.0.0.1:%%port%%;
        %%server%%
        %%registry%%
        location /v2/ { registry on; }
        location /below/v2/ { registry on; registry_s3_prefix some/root; }
    }
}
CONF

is($two->get($path)->status, 200, 'two registries, first');
is($two->get('/v2/team/below/manifests/v1')->status, 404,
    'two registries, first - has not what the second has');
is($two->get('/below/v2/team/below/manifests/v1')->status, 200,
    'two registries, second');
is($two->get('/below/v2/team/app/manifests/v1')->status, 404,
    'two registries, second - has not what the first has');
is_deeply($two->get('/below/v2/_catalog')->json->{repositories},
    [ 'team/below' ], 'two registries, second - catalog');

finish();

###############################################################################

sub conf {
    return <<'CONF';
%%main%%
events {}
http {
    %%http%%
    server {
        listen 127.0.0.1:%%port%%;
        %%server%%
        %%registry%%
        location /v2/ { registry on; }
    }
}
CONF
}

###############################################################################
