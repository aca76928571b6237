#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for blobs: GET and HEAD, miss and hit, membership, large ones.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::SHA qw/ sha512_hex /;

use Test::Registry;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Util qw/ random_bytes /;

###############################################################################

my $s3 = Test::Registry::S3->new();
my $layout = Test::Registry::Layout->new($s3);
my $t = Test::Registry->node($s3);

# sizes around the buffers on the way

for my $size (1, 71, 4096, 16384, 65536, 300_000) {
    my $bytes = random_bytes($size, "blob $size");
    my $digest = $layout->blob('team/app', $bytes);
    my $miss;

    for my $name ("$size bytes, miss", "$size bytes, hit") {
        my $r = $t->get("/v2/team/app/blobs/$digest");

        is($r->status, 200, $name);
        ok($r->body eq $bytes, "$name - bytes");
        is($r->header('Content-Length'), $size, "$name - length");
        is($r->header('Content-Type'), 'application/octet-stream',
            "$name - type");
        is($r->header('Docker-Content-Digest'), $digest, "$name - digest");
        is($r->header('ETag'), qq("$digest"), "$name - ETag");
        is($r->header('Accept-Ranges'), 'bytes', "$name - Accept-Ranges");
        unlike($r->head, qr/^(?:x-amz|Server: AmazonS3|Set-Cookie)/mi,
            "$name - nothing of S3");

        $miss //= $r->stable_headers;
        is($r->stable_headers, $miss, "$name - same headers");

        my $head = $t->head("/v2/team/app/blobs/$digest");

        is($head->stable_headers, $miss, "$name - HEAD");
        is($head->extra, '', "$name - HEAD without body");
    }

    is($s3->count(key => qr/data$/, method => 'GET'), 1,
        "$size bytes - fetched once");
    $s3->forget();
}

# HEAD of what was never asked for

my $bytes = random_bytes(5000, 'head');
my $digest = $layout->blob('team/app', $bytes);
my $r = $t->head("/v2/team/app/blobs/$digest");

is($r->status, 200, 'HEAD first');
is($r->header('Content-Length'), 5000, 'HEAD first - length');
is($r->header('Docker-Content-Digest'), $digest, 'HEAD first - digest');
is($s3->count(key => qr/data$/, method => 'GET'), 0,
    'HEAD first - content not fetched');

# nothing at all

$digest = $layout->blob('team/app', '');

for my $name ('empty, miss', 'empty, hit') {
    $r = $t->get("/v2/team/app/blobs/$digest");

    is($r->status, 200, $name);
    is($r->header('Content-Length'), 0, "$name - length");
    is($r->body . $r->extra, '', "$name - no body");
}

# what there is not, or not here

my $other = $layout->blob('team/other', 'of another repository');
$t->get("/v2/team/other/blobs/$other");

for (["sha256:" . '0' x 64, 404, 'BLOB_UNKNOWN', 'missing'],
    [$other, 404, 'BLOB_UNKNOWN', 'of another repository, cached'],
    ['sha256:abc', 400, 'DIGEST_INVALID', 'short digest'],
    ['sha256:' . 'A' x 64, 400, 'DIGEST_INVALID', 'upper-case digest'],
    ['sha256:' . '0' x 65, 400, 'DIGEST_INVALID', 'long digest'],
    ['md5:' . '0' x 32, 400, 'DIGEST_INVALID', 'unknown algorithm'],
    ['latest', 400, 'DIGEST_INVALID', 'tag'])
{
    my ($reference, $status, $code, $name) = @$_;
    $r = $t->get("/v2/team/app/blobs/$reference");

    is($r->status, $status, "$name - $status");
    is($r->code, $code, "$name - $code");
    is($t->head("/v2/team/app/blobs/$reference")->status, $status,
        "$name - HEAD $status");
}

# a link whose content is gone

$digest = $layout->blob('team/app', 'gone');
$s3->delete($layout->blob_key($digest));
is($t->get("/v2/team/app/blobs/$digest")->code, 'BLOB_UNKNOWN',
    'link without content');

# distribution links a blob that was pushed by sha512 under both names, and
# stores it by sha256

my $sha512 = 'sha512:' . sha512_hex('two names');
$digest = $layout->blob('team/app', 'two names');
$s3->put($layout->layer_key('team/app', $sha512), $digest);

for my $name ('sha512, miss', 'sha512, hit') {
    $r = $t->get("/v2/team/app/blobs/$sha512");

    is($r->status, 200, $name);
    is($r->body, 'two names', "$name - bytes");
    is($r->header('Docker-Content-Digest'), $sha512, "$name - digest");
}

# If-None-Match

for my $value (qq("$digest"), $digest, qq("x", W/"$digest"), '*') {
    $r = $t->get("/v2/team/app/blobs/$digest", 'If-None-Match' => $value);

    is($r->status, 304, "If-None-Match: $value - 304");
    is($r->header('ETag'), qq("$digest"), "If-None-Match: $value - ETag");
}

$r = $t->get("/v2/team/app/blobs/$digest", 'If-None-Match' => '"other"');
is($r->status, 200, 'If-None-Match of another');

# what a manifest names belongs to its repository: no link is asked for,
# except of layers that lie elsewhere

my $layer = $layout->blob('team/image', random_bytes(1000, 'layer'));
my $config = $layout->blob('team/image', '{}');
my $foreign = $layout->blob('team/base', 'a layer that lies elsewhere');

$layout->manifest('team/image', qq({"schemaVersion":2,"mediaType":)
    . '"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":'
    . qq("application/x","digest":"$config","size":2},"layers":[{"mediaType":)
    . qq("application/x","digest":"$layer","size":1000},{"mediaType":)
    . qq("application/x","digest":"$foreign","size":27,"urls":)
    . '["http://127.0.0.1/layer"]}]}', 'v1');

is($t->get('/v2/team/image/manifests/v1')->status, 200, 'manifest');
$s3->forget();

is($t->get("/v2/team/image/blobs/$_")->status, 200, 'blob of a manifest')
    for $config, $layer;
is($s3->count(), 2, 'one request for each blob of a manifest');
is($t->get("/v2/team/image/blobs/$foreign")->status, 404,
    'foreign layer of a manifest');

# large, many at once: one request to S3 for each slice

my $size = 20_000_001;
my $large = $layout->generated('team/app', $size, 'large');
$s3->forget();

my @r = $t->client->parallel([ map { [ 'GET', "/v2/team/app/blobs/$large",
    digest => 1 ] } 1 .. 8 ]);

is(scalar(grep { $_->complete && "sha256:" . $_->sha256 eq $large } @r), 8,
    'large, eight at once');
is(join("\n", sort map { $_->{headers}{range} // '-' }
        $s3->requests(key => qr/data$/)),
    join("\n", 'bytes=0-8388607', 'bytes=16777216-25165823',
        'bytes=8388608-16777215'),
    'large, eight at once - each slice is fetched once');

$r = $t->request('GET', "/v2/team/app/blobs/$large", digest => 1);
is('sha256:' . $r->sha256, $large, 'large, hit');
is($r->length, $size, 'large, hit - length');

# connections to S3 are kept, and each request is signed for itself

my %connections = map { $_->{connection} => 1 } $s3->requests();
cmp_ok(scalar(keys %connections), '<=', 3, 'connections to S3 are kept');
is(scalar($s3->unsigned()), 0, 'all requests to S3 rightly signed');

finish();

###############################################################################
