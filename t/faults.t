#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for errors that S3 reports: what the client is told, what the log
# says, what is tried again, and that nothing of it stays.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Util qw/ wait_for /;

###############################################################################

my $s3 = Test::Registry::S3->new();
my $layout = Test::Registry::Layout->new($s3);
my $t = Test::Registry->node($s3);

my $dtd = '<?xml version="1.0"?><!DOCTYPE Error [<!ENTITY a "aaaaaaaaaa">'
    . '<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><Error><Code>&b;</Code></Error>';

# name; what S3 does; status, code; what message and log have to say; times
# that S3 is asked

my @faults = (
    [ 'denied', { error => 'AccessDenied' }, 502, 'UNKNOWN',
        qr/AccessDenied/, qr/s3:GetObject/, 1 ],
    [ 'no-bucket', { error => 'NoSuchBucket' }, 502, 'UNKNOWN',
        qr/NoSuchBucket/, qr/registry_s3_bucket/, 1 ],
    [ 'redirect', { error => 'PermanentRedirect' }, 502, 'UNKNOWN',
        qr/PermanentRedirect/, qr/us-west-2.*registry_s3_region/, 1 ],
    [ 'elsewhere', { error => 'TemporaryRedirect' }, 502, 'UNKNOWN',
        qr/TemporaryRedirect/, qr/registry_s3_region/, 1 ],
    [ 'region', { error => 'AuthorizationHeaderMalformed' }, 502, 'UNKNOWN',
        qr/AuthorizationHeaderMalformed/, qr/us-west-2.*registry_s3_region/,
        1 ],
    [ 'archived', { error => 'InvalidObjectState' }, 502, 'UNKNOWN',
        qr/InvalidObjectState/, qr/archive/, 1 ],
    [ 'not-allowed', { error => 'MethodNotAllowed' }, 502, 'UNKNOWN',
        qr/MethodNotAllowed/, qr/./, 1 ],
    [ 'internal', { error => 'InternalError' }, 503, 'UNAVAILABLE',
        qr/InternalError/, qr/./, 3 ],
    [ 'slow-down', { error => 'SlowDown' }, 503, 'UNAVAILABLE',
        qr/SlowDown/, qr/./, 3 ],
    [ 'unavailable', { error => 'ServiceUnavailable' }, 503, 'UNAVAILABLE',
        qr/ServiceUnavailable/, qr/./, 3 ],
    [ 'kms-throttling', { error => 'ThrottlingException' }, 503,
        'UNAVAILABLE', qr/ThrottlingException/, qr/KMS/, 3 ],
    [ 'timeout', { error => 'RequestTimeout' }, 503, 'UNAVAILABLE',
        qr/RequestTimeout/, qr/./, 3 ],
    [ 'skewed', { error => 'RequestTimeTooSkewed' }, 503, 'UNAVAILABLE',
        qr/RequestTimeTooSkewed/, qr/clock/ ],
    [ 'expired', { error => 'ExpiredToken' }, 503, 'UNAVAILABLE',
        qr/ExpiredToken/, qr/expired/ ],
    [ 'token', { error => 'InvalidToken' }, 503, 'UNAVAILABLE',
        qr/InvalidToken/, qr/token/ ],
    [ 'key-id', { error => 'InvalidAccessKeyId' }, 503, 'UNAVAILABLE',
        qr/InvalidAccessKeyId/, qr/access key/ ],
    [ 'signature', { error => 'SignatureDoesNotMatch' }, 503, 'UNAVAILABLE',
        qr/SignatureDoesNotMatch/, qr/secret key/ ],
    [ 'html-500', { status => 500, body => '<html>oops</html>',
        type => 'text/html' }, 503, 'UNAVAILABLE', qr/./, qr/./, 3 ],
    [ 'html-403', { status => 403, body => '<html>portal</html>',
        type => 'text/html' }, 502, 'UNKNOWN', qr/not an answer of S3/,
        qr/registry_s3_endpoint/, 1 ],
    [ 'broken-xml', { status => 404, body => '<Error><Code>NoSuchKey' },
        502, 'UNKNOWN', qr/not an answer of S3/, undef, 1 ],
    [ 'entities', { status => 404, body => $dtd }, 502, 'UNKNOWN',
        qr/not an answer of S3/, undef, 1 ],
    [ 'no-key', { error => 'NoSuchKey' }, 404, 'MANIFEST_UNKNOWN', undef,
        undef, 1 ],
);

for (@faults) {
    my ($name, $fault) = @$_;

    $layout->manifest("team/$name", '{"schemaVersion":2}', 'v1');
    $s3->fault(key => qr{/team/$name/.*current/link$}, %$fault);
}

# all at once, since some wait before they try again

my @r = $t->client->parallel([ map {
    [ 'GET', "/v2/team/$_->[0]/manifests/v1" ] } @faults ]);

for my $i (0 .. $#faults) {
    my ($name, $fault, $status, $code, $message, $log, $tries)
        = @{$faults[$i]};
    my $r = $r[$i];
    my $key = "repositories/team/$name/";
    my @asked = $s3->requests(key => qr/\Q$key\E/);

    is($r->status, $status, "$name - $status");
    is($r->code, $code, "$name - $code");
    like($r->message, $message, "$name - message names the cause")
        if $message;
    ok(defined $r->header('Retry-After') == ($status == 503),
        "$name - Retry-After");
    is(scalar @asked, $tries, "$name - asked") if defined $tries;
    ok(@asked <= 3, "$name - not more than three times");

    next unless defined $log;

    my ($line) = $t->log() =~ /^(.*registry: .*\Q$key\E.*)$/m;

    like($line, qr/\[error\].*$log/, "$name - log");
    like($line, qr/$message/, "$name - log names the code");
    like($line, qr/repository "team\/$name"/, "$name - log names repository");
}

# S3's request ids: in message and log

my ($id) = $r[0]->message =~ /request id ([0-9A-F]{16})/;
ok($id, 'message has the request id');
like($t->log(), qr/\Q$id\E/, 'log has the request id') if $id;

# nothing is remembered

$s3->clear_faults();

ok(wait_for(sub { !grep { $_->status != 200 } $t->client->parallel([ map {
    [ 'GET', "/v2/team/$_->[0]/manifests/v1" ] } @faults ]) }, 3),
    'all are well with S3');

# the same of content: GET and HEAD of blobs, manifests

my %blob;

for (['denied', 'AccessDenied', 502], ['internal', 'InternalError', 503],
    ['slow', 'SlowDown', 503], ['archived', 'InvalidObjectState', 502],
    ['none', 'NoSuchKey', 404])
{
    my ($name, $error, $status) = @$_;
    my $digest = $layout->blob('team/blob', "content $name");

    $blob{$digest} = [ $name, $status, $error ];
    $s3->fault(key => qr/\Q@{[ $layout->blob_key($digest) ]}\E/,
        error => $error);
}

my @digests = sort keys %blob;
my %answer;
@answer{map { my $m = $_; map { "$m $_" } @digests } qw/ GET HEAD /} =
    $t->client->parallel([ map { my $m = $_; map {
        [ $m, "/v2/team/blob/blobs/$_" ] } @digests } qw/ GET HEAD / ]);

for my $digest (@digests) {
    my ($name, $status, $error) = @{$blob{$digest}};
    my $r = $answer{"GET $digest"};

    is($r->status, $status, "blob, $name - $status");
    is($r->code, $status == 404 ? 'BLOB_UNKNOWN' : $status == 502 ? 'UNKNOWN'
        : 'UNAVAILABLE', "blob, $name - code");
    is($answer{"HEAD $digest"}->status, $status, "blob, $name - HEAD");
}

$s3->clear_faults();

ok(wait_for(sub { !grep { $_->status != 200 } $t->client->parallel([ map {
    [ 'GET', "/v2/team/blob/blobs/$_" ] } @digests ]) }, 3),
    'all blobs are well with S3');

# what passes is not seen by the client

for my $error ('InternalError', 'SlowDown', 'RequestTimeout') {
    my $name = 'team/once-' . lc $error;
    my $blob = $layout->blob($name, $name);

    $layout->manifest($name, '{"schemaVersion":2}', 'v1');
    $s3->fault(key => qr/\Q$name\E|\Q@{[ $layout->blob_key($blob) ]}\E/,
        times => 1, error => $error);

    is($t->get("/v2/$name/manifests/v1")->status, 200, "$error once");
    is($t->get("/v2/$name/blobs/$blob")->status, 200, "$error once, blob");
}

# a denial of KMS looks like any other, but needs another remedy; it is the
# first one of its node, since a repeating fault is not logged again

my $kms = Test::Registry->node($s3);

$layout->manifest('team/kms', '{"schemaVersion":2}', 'v1');
$s3->fault(key => qr/^/, error => 'AccessDenied',
    message => $Test::Registry::S3::Errors::KmsMessage);

my $r = $kms->get('/v2/team/kms/manifests/v1');

is($r->status, 502, 'kms:Decrypt');
like($kms->log(), qr/\[error\].*AccessDenied.*kms:Decrypt on the key/,
    'kms:Decrypt - log');

# repeating: one line a minute, with a count

$kms->get('/v2/team/kms/manifests/v1') for 1 .. 20;
is($kms->log_count(qr/\[error\].*registry: S3/), 1, 'repeating - one line');

# the list endpoints fail in the same way

is($kms->get('/v2/team/kms/tags/list')->code, 'UNKNOWN', 'tags/list');
is($kms->get('/v2/_catalog')->status, 502, '_catalog');

# the client is never asked for a login

$kms->get($_) for '/v2/', '/v2/_catalog', '/v2/team/kms/manifests/v1';
is(scalar(grep { $_->{status} =~ /^40[13]$/ } $t->access(), $kms->access()),
    0, 'never 401 or 403');

# secrets

for my $log ($t->log(), $kms->log()) {
    unlike($log, qr/\Q@{[ $s3->secret_key ]}\E/, 'no secret in the log');
}

finish();

###############################################################################
