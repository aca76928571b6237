#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for the tests: what the scripted S3 and the HTTP client say must be
# true.  nginx takes no part.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Time::HiRes qw/ time /;

use Test::Registry::Bucket;
use Test::Registry::Client;
use Test::Registry::Response;
use Test::Registry::S3;
use Test::Registry::SigV4;

###############################################################################

# Amazon S3 API Reference, Examples of signature calculations

my %example = (access_key => 'AKIAIOSFODNN7EXAMPLE', region => 'us-east-1',
    secret_key => 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    time => 1369353600, host => 'examplebucket.s3.amazonaws.com');

for ([ { lifecycle => '' }, 'fea454ca298b7da1c68078a5d1bdbfbb'
        . 'e0d65c699e0f91ac7a200a0136783543' ],
    [ { 'max-keys' => 2, prefix => 'J' }, '34b48302e7b5fa45bde8084f4b7868a8'
        . '6f0a534bc59db6670ed5711ef69dc6f7' ])
{
    my ($query, $signature) = @$_;
    my ($target, $headers) = Test::Registry::SigV4::sign(%example,
        method => 'GET', path => '/', query => $query);

    like($headers->{authorization}, qr/Signature=$signature$/, $target);
}

# S3

my $s3 = Test::Registry::S3->new();
my $c = Test::Registry::Client->new(port => $s3->port, keepalive => 1);

$s3->put('a/b c', 'hello');
is(ask('GET', 'a/b c')->body, 'hello', 'GET');
is(ask('HEAD', 'a/b c')->header('Content-Length'), 5, 'HEAD');
is(ask('GET', 'none')->status, 404, 'no such key');

for (['bytes=1-2', 206, 'el'], ['bytes=-2', 206, 'lo'],
    ['bytes=4-9', 206, 'o'], ['bytes=0-1,3-4', 200, 'hello'],
    ['bytes=2-1', 200, 'hello'], ['bytes=5-', 416])
{
    my ($range, $status, $body) = @$_;
    my $r = ask('GET', 'a/b c', more => { Range => $range });

    is($r->status, $status, $range);
    is($r->body, $body, "$range - bytes") if defined $body;
}

my ($etag) = ask('HEAD', 'a/b c')->header('ETag');
is(ask('GET', 'a/b c', more => { 'If-None-Match' => $etag })->status, 304,
    'If-None-Match');
is(ask('GET', 'a/b c', more => { 'If-Match' => '"x"' })->status, 412,
    'If-Match');

# what it refuses

for (['SignatureDoesNotMatch', 403, secret_key => 'other'],
    ['InvalidAccessKeyId', 403, access_key => 'other'],
    ['AuthorizationHeaderMalformed', 400, region => 'other'],
    ['RequestTimeTooSkewed', 403, time => time() - 1000],
    ['InvalidToken', 400, token => 'x'],
    ['AccessDenied', 403, more => { 'x-amz-unsigned' => 1 }],
    ['InvalidRequest', 400, drop => 'x-amz-content-sha256'],
    ['XAmzContentSHA256Mismatch', 400, sha256 => '0' x 64])
{
    my ($code, $status, %wrong) = @$_;
    my $r = ask('GET', 'a/b c', %wrong);

    is($r->status, $status, "$code - $status");
    like($r->body, qr/<Code>$code</, "$code - code");
}

is(scalar($s3->unsigned()), 8, 'what is wrong is counted');

# lists

$s3->put($_, 'x') for 'l/a/1', 'l/a/2', 'l/b/1', 'l/c', 'l/d e+&';

is_deeply([ list(prefix => 'l/', delimiter => '/') ],
    [ 'l/c', 'l/d e+&amp;', 'l/a/', 'l/b/' ], 'list, delimiter');
is_deeply([ list(prefix => 'l/', 'start-after' => 'l/a/2',
    'encoding-type' => 'url') ], [ 'l/b/1', 'l/c', 'l/d+e%2B%26' ],
    'list, start-after, encoding');
is_deeply([ list(prefix => 'l/', delimiter => '/', 'start-after' => 'l/a/') ],
    [ 'l/c', 'l/d e+&amp;', 'l/b/' ], 'list, start-after a prefix');

my $bucket = Test::Registry::Bucket->new(map { $_ => $s3->$_ }
    qw/ endpoint bucket region access_key secret_key /);

is_deeply([ $bucket->keys('l/') ], [ grep { /^l/ } $s3->keys ],
    'list, by the bucket client');
$bucket->put('written', 'by a client');
is($bucket->get('written'), 'by a client', 'PUT and GET');
is($s3->count(method => 'PUT'), 1, 'PUT is counted');

# the bucket in the name of the host

{
    my ($target, $headers) = Test::Registry::SigV4::sign(method => 'GET',
        path => '/a/b c', host => 'images.s3.test:' . $s3->port,
        access_key => $s3->access_key, secret_key => $s3->secret_key,
        region => $s3->region);

    is($c->get($target, %$headers)->body, 'hello', 'virtual-host style');
}

# faults

for ([{ error => 'SlowDown' }, 503], [{ status => 200, body => 'x' }, 200,
        'x'], [{ hang => 1 }, 0, '', 'timeout'],
    [{ close => 1 }, 0, '', 'cut'], [{ cut_header => 30 }, 0, '', 'cut'],
    [{ cut_body => 3 }, 200, 'hel', 'cut'],
    [{ stall => 3 }, 200, 'hel', 'timeout'],
    [{ length => 2 }, 200, 'hello', 'cut'],
    [{ length => -2 }, 200, 'hel'], [{ corrupt => 2 }, 200, 'hemlo'],
    [{ chunked => 1 }, 200, 'hello'], [{ no_length => 1 }, 200, 'hello'])
{
    my ($fault, $status, $body, $error) = @$_;
    my ($name) = %$fault;

    $s3->fault(key => qr/b c/, times => 1, after => 1, %$fault);
    $c->{timeout} = 0.3;

    is(ask('GET', 'a/b c')->body, 'hello', "$name - not yet");

    my $r = ask('GET', 'a/b c');
    is($r->status, $status, "$name - status");
    is($r->body, $body, "$name - body") if defined $body;
    is($r->error, $error // '', "$name - error");

    is(ask('GET', 'a/b c')->body, 'hello', "$name - once");
    $s3->clear_faults();
}

# large and slow

$s3->put_generated('large', 10_000_000, 'x');
is(ask('GET', 'large', digest => 1)->sha256,
    $s3->generated_sha256(10_000_000, 'x'), 'large object');
is(ask('GET', 'large', more => { Range => 'bytes=5000000-5000099' })->body,
    $s3->generated_bytes('x', 5_000_000, 100), 'part of a large object');

$s3->fault(key => qr/large/, rate => 1_000_000);
my $r = ask('GET', 'large', abort_after => 300_000);
is($r->error, 'aborted', 'client gone');
ok($s3->wait_request(1, end => 'aborted'), 'client gone - noticed');
cmp_ok(($s3->requests(end => 'aborted'))[0]{sent}, '<', 2_000_000,
    'client gone - bytes');

# the client's own judgement

for (["HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd", 1, 'abc', 'd'],
    ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcd", 0, 'abcd', ''],
    ["HTTP/1.1 200 OK\r\n\r\nabcd", 1, 'abcd', ''],
    ["HTTP/1.1 100 C\r\n\r\nHTTP/1.1 204 N\r\n\r\n", 1, '', ''],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", 0,
        'abc', ''],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"
        . "\r\n", 1, 'abc', ''],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 0, '', ''],
    ["HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", 0, '', ''])
{
    my ($bytes, $complete, $body, $extra) = @$_;
    my $name = $bytes =~ s/\r\n/|/gr;

    my $whole = Test::Registry::Response->new(method => 'GET');
    $whole->feed($bytes);
    $whole->eof() unless $whole->ended;

    my $slow = Test::Registry::Response->new(method => 'GET');
    $slow->feed($_) for split //, $bytes;
    $slow->eof() unless $slow->ended;

    for my $r ($whole, $slow) {
        is($r->complete ? 1 : 0, $complete, "$name - complete");
        is($r->body . '/' . $r->extra, "$body/$extra", "$name - body");
    }
}

done_testing();

###############################################################################

sub ask {
    my ($method, $key, %opt) = @_;

    my ($target, $headers) = Test::Registry::SigV4::sign(method => $method,
        path => "/images" . (length $key ? "/$key" : ''), host => $c->{host},
        access_key => $s3->access_key, secret_key => $s3->secret_key,
        region => $s3->region, %opt);

    delete $headers->{$opt{drop}} if $opt{drop};

    return $c->request($method, $target, %opt,
        headers => [ %$headers, %{$opt{more} // {}} ]);
}


# Keys, then common prefixes, of all pages of two.

sub list {
    my (%query) = @_;

    my (@keys, @prefixes);
    %query = (%query, 'list-type' => 2, 'max-keys' => 2);

    while (1) {
        my $xml = ask('GET', '', query => \%query)->body;

        push @keys, $xml =~ m{<Key>([^<]*)}g;
        push @prefixes, $xml =~ m{<CommonPrefixes><Prefix>([^<]*)}g;
        ($query{'continuation-token'}) =
            $xml =~ m{<NextContinuationToken>([^<]*)} or last;
    }

    return (@keys, @prefixes);
}

###############################################################################
