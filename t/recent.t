#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for manifests that a worker has in its memory: what is asked for again
# and again is answered without a file, and only where it may be.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Path qw/ remove_tree /;

use Test::Registry qw/ finish sanitized /;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Util qw/ wait_for /;

###############################################################################

my $s3 = Test::Registry::S3->new();
my $layout = Test::Registry::Layout->new($s3);
my $t = Test::Registry->node($s3);

my $type = 'application/vnd.oci.image.manifest.v1+json';
my $json = manifest('one');
my $digest = $layout->manifest('team/app', $json, 'v1');
my %paths = (digest => "/v2/team/app/manifests/$digest",
    tag => '/v2/team/app/manifests/v1');

# it is kept when it comes from the cache, not before

my $first = $t->get($paths{digest});

is($first->body, $json, 'manifest');
forget_files();
$s3->forget();
is($t->get($paths{digest})->body, $json, 'without its file - fetched');
is($s3->count(key => qr/data$/), 1, 'without its file - from S3');

is($t->get($paths{digest})->body, $json, 'from the cache');
forget_files();
$s3->forget();

my $again = $t->get($paths{digest});

is($again->body, $json, 'from memory');
is($again->status, 200, 'from memory - status');
is($s3->count(), 0, 'from memory - S3 is not asked');
is($again->header($_), $first->header($_), "from memory - $_")
    for qw/ Content-Type Content-Length Docker-Content-Digest ETag /;
is($again->header('Content-Type'), $type, 'from memory - type');
is($t->last_access->{cache_status}, 'HIT', 'from memory - log');

is($t->get($paths{digest}, 'If-None-Match' => qq("$digest"))->status, 304,
    'from memory - not modified');

my $head = $t->head($paths{digest});

is($head->status, 200, 'from memory - HEAD');
is($head->header('Content-Length'), length $json, 'from memory - its length');

# a tag of the host is known for a second; then its link, and only that, is
# asked for

ok(wait_for(sub {
    $s3->forget();
    my $r = $t->get($paths{tag});
    return $r->body eq $json && $s3->count() == 1;
}, 5), 'by tag - one request');
is($s3->count(key => qr/data$/), 0, 'by tag - for the link');

# moved

my $other = manifest('other');
$layout->manifest('team/app', $other, 'v1');
ok(wait_for(sub { $t->get($paths{tag})->body eq $other }, 5),
    'tag that was moved');
is($t->get($paths{digest})->body, $json, 'what it was before, by digest');

# another repository has to prove that it has it

is($t->get("/v2/team/foreign/manifests/$digest")->status, 404,
    'manifest of another repository');
$layout->manifest('team/friend', $json);
is($t->get("/v2/team/friend/manifests/$digest")->body, $json,
    'a repository that has it, too');

# large ones are not kept

my $large = manifest('x' x 70_000);
my $path = '/v2/team/app/manifests/' . $layout->manifest('team/app', $large);

is($t->get($path)->length, length $large, 'large manifest') for 1 .. 3;
forget_files();
$s3->forget();
is($t->get($path)->body, $large, 'large manifest - again');
is($s3->count(key => qr/data$/), 1, 'large manifest - from S3');

# nor more than a worker may have

my @paths = map { '/v2/team/app/manifests/' . $layout->manifest('team/app',
    manifest($_ . 'y' x 50_000)) } 1 .. 60;
my $client = $t->client(keepalive => 1);

$client->get($_) for @paths;
my $memory = $t->worker_memory();

my @lengths = map { $client->get($_)->length } @paths, @paths;
is(scalar(grep { $_ > 50_000 } @lengths), 120, 'many manifests');
forget_files();
$s3->forget();
is(scalar(grep { $client->get($_)->length > 50_000 } reverse @paths), 60,
    'many manifests - again');

my $asked = $s3->count(key => qr/data$/);

cmp_ok($asked, '>=', 30, 'many manifests - most are not in memory');
cmp_ok($asked, '<', 60, 'many manifests - some are');

SKIP: {
    skip 'memory means nothing with sanitizers', 1 if sanitized();
    cmp_ok($t->worker_memory() - $memory, '<', 2500,
        'many manifests - memory');
}

# workers of a new configuration begin with nothing

forget_files();
$t->reload();
$s3->forget();
is($t->get($paths{digest})->body, $json, 'after a reload');
is($s3->count(key => qr/data$/), 1, 'after a reload - from S3');

finish();

###############################################################################

sub manifest {
    my ($text) = @_;

    return qq({"schemaVersion":2,"mediaType":"$type",)
        . qq("annotations":{"x":"$text"}});
}


# Removes the files of nginx's caches; it fetches what it misses.

sub forget_files {
    remove_tree($_, { keep_root => 1 }) for glob $t->dir . '/cache/*';
    return;
}

###############################################################################
