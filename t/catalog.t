#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for _catalog: order, pages, repositories below repositories.

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
my $t = Test::Registry->node($s3);

# an empty bucket

my $r = $t->get('/v2/_catalog');

is($r->status, 200, 'empty');
is_deeply($r->json, { repositories => [] }, 'empty - list');

# names of which one is the beginning of another, and that S3 sorts otherwise

my @names = sort qw{ a a-b a.b a/b a/b/c a/c a0 b/x/y/z library/nginx team/app
    team/app-2 team/app/sub team/app2 z };

$layout->manifest($_, '{"schemaVersion":2}', 'v1') for reverse @names;

# no manifest, no repository

$layout->blob('team/layers-only', 'a layer');
$s3->put($layout->repository('team/upload') . '/_uploads/1/startedat', 'x');
$s3->put($layout->repository('Bad_/name') . '/_manifests/tags/v1/current/link',
    'x');

$r = $t->get('/v2/_catalog');

is($r->status, 200, 'all');
is($r->header('Content-Type'), 'application/json', 'all - type');
is_deeply($r->json, { repositories => \@names }, 'all - sorted by bytes');
is($r->header('Link'), undef, 'all - no Link');

my $head = $t->head('/v2/_catalog');
is($head->header('Content-Length'), $r->length, 'HEAD - length');
is($head->extra, '', 'HEAD - no body');

# pages

for my $n (1 .. 5, 13 .. 15, 1000) {
    my ($seen, $pages) = pages("/v2/_catalog?n=$n");

    is("@$seen", "@names", "pages of $n");
    is($pages, int((@names + $n - 1) / $n), "pages of $n - their number");
}

$r = $t->get('/v2/_catalog?n=4');

is_deeply($r->json, { repositories => [ @names[0 .. 3] ] }, 'first page');
is($r->header('Link'), '</v2/_catalog?last=a%2Fb&n=4>; rel="next"',
    'first page - Link');

# last: a name, there or not

for my $last ('', 'a', 'a-b', 'a/b', 'a/b/c', 'a/zz', 'aa', 'b', 'b/x', 'team',
    'team/app', 'team/app/sub', 'team/zzz', 'z', 'zz')
{
    my @rest = grep { $_ gt $last } @names;
    my $escaped = $last =~ s{/}{%2F}gr;

    is_deeply($t->get("/v2/_catalog?last=$last")->json->{repositories},
        \@rest, "last=$last");
    is_deeply($t->get("/v2/_catalog?last=$escaped&n=2")->json->{repositories},
        [ grep { defined } @rest[0, 1] ], "last=$escaped&n=2");
}

$r = $t->get('/v2/_catalog?n=0');

is_deeply($r->json, { repositories => [] }, 'n=0');
is($r->header('Link'), undef, 'n=0 - no Link');

for my $query ('n=-1', 'n=x', 'last=%zz') {
    $r = $t->get("/v2/_catalog?$query");

    is($r->status, 400, "$query - 400");
    ok($r->code, "$query - error document");
}

# more than S3 lists at once; a page needs few requests

$layout->manifest(sprintf('many/r%04d', $_), '{"schemaVersion":2}', 'v1')
    for 1 .. 1100;

for my $query ('', '?n=5000') {
    my ($seen, $pages) = pages("/v2/_catalog$query");

    is(scalar(@$seen), @names + 1100, "more than a page of S3 $query");
    is($pages, 2, "more than a page of S3 $query - not all at once");
}

$s3->forget();
$r = $t->get('/v2/_catalog?n=3');
is_deeply($r->json->{repositories}, [ @names[0 .. 2] ], 'page of three');
cmp_ok($s3->count(), '<', 30, 'page of three - requests');

# a failure is the end of what would be tried again

$s3->put($layout->repository("0$_") . '/_manifests/x', 'x')
    for 'failing', map { "busy$_" } 1 .. 5, 'slow';
$s3->fault(query => qr/0failing/, error => 'AccessDenied', latency => 1);
$s3->fault(query => qr/0busy/, error => 'SlowDown');
$s3->fault(query => qr/0slow/, latency => 6);
$s3->forget();

like($t->get('/v2/_catalog')->status, qr/^50[23]$/, 'a directory fails');

my $begun = $s3->count(query => qr/0busy/);

select undef, undef, undef, 5;
is($s3->count(query => qr/0busy/), $begun, 'a directory fails - no retries');
$s3->clear_faults();

is(scalar($s3->unsigned()), 0, 'all requests to S3 rightly signed');

finish();

###############################################################################

sub pages {
    my ($path) = @_;

    my (@seen, $n);

    while (defined $path && ++$n < 50) {
        my $r = $t->get($path);

        push @seen, @{$r->json->{repositories} // []};
        ($path) = ($r->header('Link') // '')
            =~ m{^<(/v2/[^>]+)>; rel="next"$};
    }

    return (\@seen, $n);
}

###############################################################################
