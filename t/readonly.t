#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for the promise of a node: whatever is sent to it, it only reads, even
# with keys that may write.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::SHA qw/ sha256_hex /;
use IO::Select;

use Test::Registry;
use Test::Registry::Gateway;
use Test::Registry::Layout;

###############################################################################

my $s3 = Test::Registry::Gateway->new();
my $layout = Test::Registry::Layout->new($s3);

my $blob = $layout->blob('team/app', 'content');
my $manifest = $layout->manifest('team/app', '{"schemaVersion":2}', 'v1');

my $t = Test::Registry->node($s3);
my $before = join "\n", $s3->keys($s3->prefix);

# every method on every route, and the ways in which clients write

my $new = 'sha256:' . sha256_hex('pushed');
my $session = '01936a2e-7b1c-7a3d-9c45-0123456789ab';

my @paths = ('/v2/', '/v2/_catalog', '/v2/team/app/tags/list',
    '/v2/team/app/manifests/v1', '/v2/team/app/manifests/new',
    "/v2/team/app/manifests/$manifest", "/v2/team/app/manifests/$new",
    "/v2/team/app/blobs/$blob", "/v2/team/app/blobs/$new",
    '/v2/team/app/blobs/uploads/',
    "/v2/team/app/blobs/uploads/?digest=$new",
    "/v2/team/app/blobs/uploads/?mount=$blob&from=team/app",
    "/v2/team/new/blobs/uploads/?mount=$blob&from=team/app",
    "/v2/team/app/blobs/uploads/$session",
    "/v2/team/app/blobs/uploads/$session?digest=$new",
    "/v2/team/app/referrers/$manifest",
    '/v2/new/repository/manifests/v1', '/v2/nowhere', '/v2/Bad/manifests/v1');

my @internal = ('/registry_s3/tag/x', '/registry_s3/object/x',
    '/registry_s3/blob/x', '/registry_s3/direct/x', '/registry_s3/cached/x',
    '/registry_s3/cached_blob/x', '/v2/../registry_s3/direct/x');

my @requests;

for my $path (@paths, @internal) {
    for my $method (qw/ POST PUT PATCH DELETE OPTIONS COPY MOVE MKCOL BREW /) {
        push @requests, [ $method, $path ];
        push @requests, [ $method, $path, body => 'pushed', headers =>
            [ 'Content-Type', 'application/octet-stream' ] ];
    }
}

for my $path (@paths) {
    push @requests,
        [ 'POST', $path, chunked => [ 'pu', 'shed' ] ],
        [ 'PATCH', $path, body => 'pushed', headers =>
            [ 'Content-Range', '0-5' ] ],
        [ 'GET', $path, headers => [ 'X-HTTP-Method-Override', 'PUT',
            'X-Method', 'DELETE' ], body => 'pushed' ],
        [ 'GET', $path, headers => [ 'x-amz-copy-source', '/images/x',
            'x-amz-date', '20240101T000000Z', 'Authorization', 'AWS4 x' ] ];
}

my @r = $t->client->parallel(\@requests, 16);
my $writes = 0;

for my $i (0 .. $#requests) {
    my ($method, $path) = @{$requests[$i]};
    next if $method eq 'GET';

    # internal locations are no registry; nginx answers for them
    my $ok = $path =~ m{^/v2/(?!\.\.)} ? $r[$i]->status == 405
            && $r[$i]->code eq 'UNSUPPORTED'
            && defined $r[$i]->header('Allow')
        : $r[$i]->status =~ /^4\d\d$/;

    # paths that are no endpoint have no methods
    $ok ||= $r[$i]->status == 404 && $path =~ /nowhere/;

    $writes++;
    ok($ok, "$method $path") or diag $r[$i]->status, ' ', $r[$i]->body
        unless $ok;
}

pass("$writes requests that write are refused");
is($t->get($_)->status, 404, "$_ is internal") for @internal;

is($t->get('/v2/team/app/manifests/v1')->status, 200, 'still serves');

# what S3 has seen

is(join("\n", $s3->keys($s3->prefix)), $before, 'bucket is unchanged');

SKIP: {
    skip('this S3 does not tell which requests it had', 4)
        unless $s3->counts;

    my @seen = grep { $_->{operation} !~ /^(List|Get|Head)/ }
        $s3->requests();

    is(join("\n", map { "$_->{method} $_->{target}" } @seen), '',
        'S3 has seen GET and HEAD only');
    cmp_ok($s3->count(), '>', 10, 'S3 has seen requests at all');
    is($s3->count(target => qr/_uploads/), 0, 'S3 has seen no upload');
    is($s3->count(status => 403), 0, 'S3 has refused none');
}

# it cannot be switched on by a client's location either: push is a word of
# the configuration

my $push = Test::Registry->new(s3 => $s3, registry => 'registry_push off;');
$push->conf(<<'CONF');
%%main%%
events {}
http {
    %%http%%
    server {
        listen 127.0.0.1:%%port%%;
        %%server%%
        %%registry%%
        location /v2/ { registry on; limit_except GET { allow all; } }
    }
}
CONF
$push->start();
is($push->request('PUT', '/v2/team/app/manifests/v1', body => '{}')->status,
    405, 'within limit_except');

# a client that asks before it sends a body hears "no", and not "go on"

like(first_line($t, $_), qr{^HTTP/1\.1 40[0-9] }, "$_ with Expect")
    for '/v2/team/app/manifests/v1', '/v2/Team/manifests/v1', '/v2/nowhere';

finish();

###############################################################################

sub first_line {
    my ($node, $path) = @_;

    my $client = $node->client;
    my $socket = $client->connect();

    $client->write_all($socket, "PUT $path HTTP/1.1\r\nHost: registry\r\n"
        . "Expect: 100-continue\r\nContent-Length: 5000000\r\n\r\n");

    return IO::Select->new($socket)->can_read(10) ? <$socket> : 'nothing';
}

###############################################################################
