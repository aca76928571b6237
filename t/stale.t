#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for a node whose S3 is away: what it has served it serves again.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use POSIX ();

use Test::Registry;
use Test::Registry::DNS;
use Test::Registry::Image;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Util qw/ wait_for read_file /;

###############################################################################

my $s3 = Test::Registry::S3->new();
my $dns = Test::Registry::DNS->new();
my $layout = Test::Registry::Layout->new($s3);

# by name, so that there is something to resolve

my $t = Test::Registry->node($s3, timeout => 1,
    endpoint => 'http://s3.test:' . $s3->port,
    server => 'resolver ' . $dns->address . ' ipv6=off; '
        . 'resolver_timeout 1s;');

my $image = Test::Registry::Image->new(layers => [ 10_000, 500_000 ]);
my $digest = $layout->image('team/app', $image, 'latest');

$layout->tag('team/app', 'moved', $digest);
$layout->tag('team/app', 'unseen', $digest);
$layout->tag('team/app', 'removed', $digest);

is(pull(), '', 'first pull');

# S3 is gone

$s3->stop();
expired();

is(pull(), '', 'S3 stopped');

my ($by_tag) = grep { $_->{request_uri} =~ /latest/ } reverse $t->access();

is($by_tag->{cache_status}, 'STALE', 'by tag - STALE in the access log');
like($by_tag->{stale_age}, qr/^\d+$/, 'by tag - its age in the access log');
like($t->log(), qr/\[warn\].*registry: .*tag "latest".*"team\/app".*stale/,
    'by tag - in the error log');

my ($by_digest) = grep { $_->{request_uri} =~ /manifests.sha256/ }
    reverse $t->access();

is($by_digest->{cache_status}, 'HIT', 'by digest - HIT in the access log');
is((grep { $_->{request_uri} =~ /blobs/ } reverse $t->access())[0]
    {cache_status}, 'HIT', 'blobs - HIT in the access log');

my $r = $t->head('/v2/team/app/manifests/latest');

is($r->status, 200, 'HEAD');
is($r->header('Docker-Content-Digest'), $digest, 'HEAD - digest');
is($t->get('/v2/team/app/manifests/latest', 'If-None-Match', qq("$digest"))
    ->status, 304, 'If-None-Match');

# what was never seen

for my $path ('manifests/unseen', 'tags/list', 'blobs/sha256:' . '1' x 64,
    'manifests/sha256:' . '1' x 64)
{
    $r = $t->get("/v2/team/app/$path");

    is($r->status, 503, "never seen, $path - 503");
    is($r->code, 'UNAVAILABLE', "never seen, $path - code");
    ok($r->header('Retry-After'), "never seen, $path - Retry-After");
}

# another repository does not get it for that

is($t->get("/v2/team/other/manifests/$digest")->status, 503,
    'of another repository');

# everything is gone, and nginx starts

$dns->stop();
$t->stop();
$t->{probe} = 0;
$t->start();

is(pull(), '', 'restarted without S3 and DNS');
is($t->get('/v2/team/app/manifests/unseen')->status, 503,
    'restarted - never seen');

# back

$s3->start();
$dns->start();

ok(wait_for(sub { $t->get('/v2/team/app/manifests/unseen')->status == 200 },
    10), 'S3 is back');

# a tag that is removed is not served stale afterwards

for my $tag ('removed', 'moved') {
    is($t->get("/v2/team/app/manifests/$tag")->status, 200, "$tag - there");
}

$s3->delete($layout->tag_key('team/app', 'removed'));

ok(wait_for(sub { $t->get('/v2/team/app/manifests/removed')->status == 404 },
    5), 'removed - 404');

$s3->stop();
expired();
like($t->get('/v2/team/app/manifests/removed')->status, qr/^(?:404|503)$/,
    'removed, S3 stopped - not stale');
is($t->get('/v2/team/app/manifests/moved')->status, 200, 'moved - stale');
$s3->start();

# keys that S3 refuses are a matter of time, what they may not do is not

my %errors = (
    ExpiredToken => 200, InvalidAccessKeyId => 200, InvalidToken => 200,
    RequestTimeTooSkewed => 200, SignatureDoesNotMatch => 200,
    InternalError => 200, SlowDown => 200, ThrottlingException => 200,
    AccessDenied => 502, NoSuchBucket => 502, PermanentRedirect => 502,
    InvalidObjectState => 502
);
my @errors = sort keys %errors;
my @ask = map { [ 'GET', "/v2/team/app/manifests/$_" ] } @errors;

$layout->tag('team/app', $_, $digest) for @errors;
ok(wait_for(sub { !grep { $_->status != 200 } $t->client->parallel(\@ask) },
    5), 'before the errors');

expired();
$s3->fault(key => qr{/$_/current/link$}, error => $_) for @errors;
my @answers = $t->client->parallel(\@ask);

for my $i (0 .. $#errors) {
    my $status = $errors{$errors[$i]};

    is($answers[$i]->status, $status,
        "$errors[$i] - " . ($status == 200 ? 'stale' : 'not stale'));
}

$s3->clear_faults();

# while S3 is silent one request asks it, the others have what there is

$layout->tag('team/app', 'silent', $digest);
is($t->get('/v2/team/app/manifests/silent')->status, 200, 'silent - there');

$s3->fault(key => qr{/silent/current/link$}, error => 'InternalError');
expired();
is($t->get('/v2/team/app/manifests/silent')->status, 200, 'silent - stale');
$s3->clear_faults();

$s3->fault(key => qr{/silent/current/link$}, hang => 1);
expired();
$s3->forget();

my $pid = fork() // die "fork: $!";

if ($pid == 0) {
    $t->get('/v2/team/app/manifests/silent');
    POSIX::_exit(0);
}

ok($s3->wait_request(1, key => qr{/silent/current/link$}), 'silent - asked');
is($t->get('/v2/team/app/manifests/silent')->status, 200,
    'silent - stale for another');
is(waitpid($pid, POSIX::WNOHANG()), 0, 'silent - the first still waits');

kill 'KILL', $pid;
waitpid $pid, 0;
$s3->clear_faults();

# a silent S3 is waited for once, and then not for a while

for my $tag ('quiet', 'calm') {
    $layout->tag('team/app', $tag, $digest);
    is($t->get("/v2/team/app/manifests/$tag")->status, 200, "$tag - there");
}

expired();
$s3->fault(key => qr{/current/link$}, hang => 1);
$s3->forget();

is($t->get('/v2/team/app/manifests/quiet')->status, 200, 'quiet - stale');
is($s3->count(key => qr/current/), 1, 'quiet - asked once');
is($t->get('/v2/team/app/manifests/calm')->status, 200, 'calm - stale');
is($s3->count(key => qr/current/), 1, 'calm - not asked again');
is($t->last_access->{cache_status}, 'STALE', 'calm - in the access log');
$s3->clear_faults();
sleep 10;

# as soon as S3 answers, what it says counts

my $other = $layout->manifest('team/app', '{"schemaVersion":2,"new":1}');
$layout->tag('team/app', 'moved', $other);

ok(wait_for(sub { $t->head('/v2/team/app/manifests/moved')
    ->header('Docker-Content-Digest') eq $other }, 5), 'new content');

finish();

###############################################################################

# The image whole, by tag, by digest, and its blobs; what is wrong.

sub pull {
    for my $reference ('latest', $digest) {
        my $r = $t->get("/v2/team/app/manifests/$reference");

        return "$reference: " . $r->status if $r->status != 200;
        return "$reference: bytes" if $r->body ne $image->manifest;
    }

    for ($image->blobs) {
        my $r = $t->get("/v2/team/app/blobs/$_->{digest}");

        return "$_->{digest}: " . $r->status if $r->status != 200;
        return "$_->{digest}: bytes" if $r->body ne read_file($_->{file});
    }

    return '';
}


# A tag link is kept for a second; nginx counts whole ones.

sub expired {
    my $end = time() + 2;

    select undef, undef, undef, 0.1 while time() <= $end;
    return;
}

###############################################################################
