#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for tags/list: order, pages, what is a tag.

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

# S3 lists "a-b/" and "a.b/" before "a/"

my @tags = qw/ 1.0 1.0-rc1 1.0.1 A Z _x a a-b a.b a0 latest v1 v1-a v1.2 v10
    v2 /;

$layout->manifest('team/app', '{"schemaVersion":2}', reverse @tags);

my $r = $t->get('/v2/team/app/tags/list');

is($r->status, 200, 'all');
is($r->header('Content-Type'), 'application/json', 'all - type');
is_deeply($r->json, { name => 'team/app', tags => \@tags },
    'all - sorted by bytes');
is($r->header('Link'), undef, 'all - no Link');

my $head = $t->head('/v2/team/app/tags/list');

is($head->status, 200, 'HEAD');
is($head->header('Content-Length'), $r->length, 'HEAD - length');
is($head->extra, '', 'HEAD - no body');

# pages: whatever their size, each tag once and in order

for my $n (1 .. 4, 7, 15, 16, 17, 1000) {
    my ($seen, $pages) = pages("/v2/team/app/tags/list?n=$n");

    is("@$seen", "@tags", "pages of $n");
    is($pages, int((@tags + $n - 1) / $n), "pages of $n - their number");
}

$r = $t->get('/v2/team/app/tags/list?n=2');

is_deeply($r->json, { name => 'team/app', tags => [ '1.0', '1.0-rc1' ] },
    'first page');
is($r->header('Link'),
    '</v2/team/app/tags/list?last=1.0-rc1&n=2>; rel="next"'
    , 'first page - Link') or diag $r->head;

# last

for ([ 'last=a', [ qw/ a-b a.b a0 latest v1 v1-a v1.2 v10 v2 / ] ],
    [ 'last=a-b&n=2', [ qw/ a.b a0 / ] ],
    [ 'n=2&last=v1', [ qw/ v1-a v1.2 / ] ],
    [ 'last=v1-a&n=3', [ qw/ v1.2 v10 v2 / ] ],
    [ 'last=not-there&n=1', [ 'v1' ] ],
    [ 'last=v2', [] ],
    [ 'last=zz&n=5', [] ],
    [ 'last=v1%2E2', [ qw/ v10 v2 / ] ],
    [ 'n=0', [] ],
    [ 'n=0&last=a', [] ],
    [ 'n=99999', \@tags ],
    [ 'unknown=1&n=1', [ '1.0' ] ])
{
    my ($query, $tags) = @$_;
    $r = $t->get("/v2/team/app/tags/list?$query");

    is($r->status, 200, $query);
    is_deeply($r->json->{tags}, $tags, "$query - tags");
}

is($t->get('/v2/team/app/tags/list?n=0')->header('Link'), undef,
    'n=0 - no Link');

for my $query ('n=-1', 'n=x', 'n=1x', 'n=%zz', 'last=%zz') {
    $r = $t->get("/v2/team/app/tags/list?$query");

    is($r->status, 400, "$query - 400");
    ok($r->code, "$query - error document");
}

# repositories that are not there, or have no tag

$r = $t->get('/v2/team/none/tags/list');

is($r->status, 404, 'unknown repository - 404');
is($r->code, 'NAME_UNKNOWN', 'unknown repository - code');

is($t->get('/v2/team/tags/list')->status, 404,
    'a part of a name is no repository');

$layout->manifest('team/untagged', '{"schemaVersion":2}');
$r = $t->get('/v2/team/untagged/tags/list');

is($r->status, 200, 'no tag');
is_deeply($r->json, { name => 'team/untagged', tags => [] },
    'no tag - empty list');

# repositories that begin alike

$layout->manifest('team/app2', '{"schemaVersion":2}', 'other');
$layout->manifest('team/app/sub', '{"schemaVersion":2}', 'deeper');
is_deeply($t->get('/v2/team/app/tags/list')->json->{tags}, \@tags,
    'names that begin alike');

# what other programs leave behind is no tag

my $base = $layout->repository('team/odd') . '/_manifests/tags';
my $digest = $layout->manifest('team/odd', '{"schemaVersion":2}', 'good');

$s3->put("$base/", '');
$s3->put("$base/-bad/current/link", $digest);
$s3->put("$base/b d/current/link", $digest);
$s3->put("$base/a&b/current/link", $digest);
$s3->put("$base/" . 'x' x 129 . '/current/link', $digest);
$s3->put("$base/file", $digest);

is_deeply($t->get('/v2/team/odd/tags/list')->json->{tags}, [ 'good' ],
    'no tags');

# more than S3 lists at once

my @many = map { sprintf 'build-%04d', $_ } 1 .. 2100;
$layout->manifest('team/many', '{"schemaVersion":2}', @many);
$s3->forget();

$r = $t->get('/v2/team/many/tags/list');

is_deeply($r->json->{tags}, \@many, 'three pages of S3');
is($s3->count(query => qr/./), 3, 'three pages of S3 - requests')
    or diag map { "$_->{target}\n" } $s3->requests();

my ($seen, $pages) = pages('/v2/team/many/tags/list?n=700');

is("@$seen", "@many", 'pages of 700');
is($pages, 3, 'pages of 700 - their number');

$r = $t->get('/v2/team/many/tags/list?n=3&last=build-1999');
is_deeply($r->json->{tags}, [ @many[1999 .. 2001] ], 'a page in the middle');

is(scalar($s3->unsigned()), 0, 'all requests to S3 rightly signed');

finish();

###############################################################################

# Follows Link to the end.

sub pages {
    my ($path) = @_;

    my (@seen, $n);

    while (defined $path && ++$n < 50) {
        my $r = $t->get($path);

        push @seen, @{$r->json->{tags} // []};
        ($path) = ($r->header('Link') // '')
            =~ m{^<(/v2/[^>]+)>; rel="next"$};
    }

    return (\@seen, $n);
}

###############################################################################
