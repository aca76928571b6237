#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for manifests: by tag and by digest, types, validators, membership.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::SHA qw/ sha512_hex /;
use Time::HiRes qw/ time /;

use Test::Registry;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Util qw/ wait_for /;

###############################################################################

my $s3 = Test::Registry::S3->new();
my $layout = Test::Registry::Layout->new($s3);
my $t = Test::Registry->node($s3);

my $oci = 'application/vnd.oci.image.manifest.v1+json';
my $index = 'application/vnd.oci.image.index.v1+json';
my $docker = 'application/vnd.docker.distribution.manifest.v2+json';
my $list = 'application/vnd.docker.distribution.manifest.list.v2+json';

my $config = '"config":{"mediaType":"a/b","digest":"sha256:' . 'c' x 64
    . '","size":1}';

# what is stored, and the type it is sent with

my %manifests = (
    'oci' => [ qq({"schemaVersion":2,"mediaType":"$oci",$config,"layers":[]}),
        $oci ],
    'oci-bare' => [ qq({"schemaVersion":2,$config,"layers":[]}), $oci ],
    'index' => [ qq({"schemaVersion":2,"mediaType":"$index","manifests":[]}),
        $index ],
    'index-bare' => [ qq({"schemaVersion":2,"manifests":[]}), $index ],
    'docker' => [ qq({ "schemaVersion": 2,\n   "mediaType": "$docker",\n)
        . qq(   $config,\n   "layers": []\n}\n), $docker ],
    'docker-list' => [ qq({"manifests":[],"mediaType":"$list",)
        . qq("schemaVersion":2}), $list ],
    'type-last' => [ qq({$config,"layers":[],"annotations":{"mediaType":"x"},)
        . qq("schemaVersion":2,"mediaType":"$oci"}), $oci ],
    'large' => [ qq({"schemaVersion":2,"mediaType":"$oci",$config,)
        . '"layers":[],"annotations":{"a":"' . 'x' x (3 << 20) . '"}}', $oci ]
);

my %digest = map { $_ => $layout->manifest('team/app', $manifests{$_}[0], $_) }
    keys %manifests;

for my $tag (sort keys %manifests) {
    my ($bytes, $type) = @{$manifests{$tag}};
    my $digest = $digest{$tag};

    for my $reference ($tag, $digest) {
        my $name = $reference eq $tag ? "$tag by tag" : "$tag by digest";
        my $r = $t->get("/v2/team/app/manifests/$reference");

        is($r->status, 200, $name);
        ok($r->body eq $bytes, "$name - bytes");
        is($r->header('Content-Type'), $type, "$name - type");
        is($r->header('Content-Length'), length $bytes, "$name - length");
        is($r->header('Docker-Content-Digest'), $digest, "$name - digest");
        is($r->header('ETag'), qq("$digest"), "$name - ETag");

        my $head = $t->head("/v2/team/app/manifests/$reference");

        is($head->stable_headers, $r->stable_headers, "$name - HEAD");
        is($head->extra, '', "$name - HEAD without body");
    }
}

# HEAD of what was never asked for

my $new = $layout->manifest('team/head', $manifests{oci}[0], 'v1');
my $r = $t->head('/v2/team/head/manifests/v1');

is($r->status, 200, 'HEAD first');
is($r->header('Content-Length'), length $manifests{oci}[0],
    'HEAD first - length');
is($r->header('Content-Type'), $oci, 'HEAD first - type');
is($r->header('Docker-Content-Digest'), $new, 'HEAD first - digest');

# Accept does not decide, a client that cannot take it will say so

for my $accept ($docker, 'text/plain', '*/*', undef) {
    $r = $t->get('/v2/team/app/manifests/oci', Accept => $accept);
    is($r->header('Content-Type'), $oci, 'Accept: ' . ($accept // 'none'));
}

# RFC 9110, If-None-Match

for ([qq("$digest{oci}"), 304], [$digest{oci}, 304],
    [qq(W/"$digest{oci}"), 304], [qq("x", "$digest{oci}"), 304], ['*', 304],
    [qq("$digest{docker}"), 200], ['"other"', 200])
{
    my ($value, $status) = @$_;

    for my $reference ('oci', $digest{oci}) {
        $r = $t->get("/v2/team/app/manifests/$reference",
            'If-None-Match' => $value);

        is($r->status, $status, "If-None-Match: $value - $status");
        is($r->header('ETag'), qq("$digest{oci}"),
            "If-None-Match: $value - ETag");
        is($r->length, 0, 'no body') if $status == 304;
    }
}

# what there is not

for (['team/app', 'none', 404, 'MANIFEST_UNKNOWN'],
    ['team/none', 'v1', 404, 'MANIFEST_UNKNOWN'],
    ['team/app', 'sha256:' . '0' x 64, 404, 'MANIFEST_UNKNOWN'],
    ['team/app', 'sha512:' . '0' x 128, 404, 'MANIFEST_UNKNOWN'],
    ['team/app', 'sha256:abc', 400, 'DIGEST_INVALID'],
    ['team/app', 'sha256:' . 'A' x 64, 400, 'DIGEST_INVALID'],
    ['team/app', 'md5:' . '0' x 32, 400, 'DIGEST_INVALID'])
{
    my ($name, $reference, $status, $code) = @$_;
    my $short = substr $reference, 0, 12;
    $r = $t->get("/v2/$name/manifests/$reference");

    is($r->status, $status, "$name $short - $status");
    is($r->code, $code, "$name $short - $code");
}

for my $tag ('.hidden', '-dash', 'a' x 129, 'with%20blank', 'a+b') {
    $r = $t->get("/v2/team/app/manifests/$tag");

    is($r->status, 404, 'no tag ' . substr $tag, 0, 12);
    is($r->code, 'MANIFEST_UNKNOWN', 'no tag - code');
}

$r = $t->get('/v2/team/app/manifests/' . 'a' x 128);
is($r->code, 'MANIFEST_UNKNOWN', 'the longest tag');

# a manifest belongs to the repositories that link it, cached or not

$r = $t->get("/v2/team/other/manifests/$digest{oci}");
is($r->status, 404, 'of another repository - 404');
is($r->code, 'MANIFEST_UNKNOWN', 'of another repository - code');

$layout->manifest('team/second', $manifests{oci}[0]);
$r = $t->get("/v2/team/second/manifests/$digest{oci}");
is($r->status, 200, 'of two repositories');

# a digest is a manifest or a blob of a repository, for each there is a link

my $both = Test::Registry->node($s3);
my $layer = $layout->blob('team/kinds', 'a layer');
my $image = qq({"schemaVersion":2,"mediaType":"$oci",)
    . qq("config":{"mediaType":"a/b","digest":"$layer","size":7},"layers":[]});
my $child = $layout->manifest('team/kinds', $image, 'v1');

is($both->get("/v2/team/kinds/manifests/v1")->body, $image, 'an image');
is($both->get("/v2/team/kinds/blobs/$layer")->body, 'a layer', 'its layer');

$r = $both->get("/v2/team/kinds/manifests/$layer");
is($r->status, 404, 'a layer is no manifest');
is($r->code, 'MANIFEST_UNKNOWN', 'a layer is no manifest - code');

$r = $both->get("/v2/team/kinds/blobs/$child");
is($r->status, 404, 'a manifest is no blob');
is($r->code, 'BLOB_UNKNOWN', 'a manifest is no blob - code');
unlike($both->log, qr/\[error\]/, 'and nothing is wrong with them');

# no content behind the link

my $lost = $layout->manifest('team/app', '{"lost":1}', 'lost');
$s3->delete($layout->blob_key($lost));
$r = $t->get('/v2/team/app/manifests/lost');
is($r->code, 'MANIFEST_UNKNOWN', 'link without content');

# a link may name its content by another digest than its own

my $bytes = $manifests{index}[0];
my $sha512 = 'sha512:' . sha512_hex($bytes);
$s3->put($layout->revision_key('team/app', $sha512), $digest{index});
$r = $t->get("/v2/team/app/manifests/$sha512");
is($r->status, 200, 'sha512 link of sha256 content');
ok($r->body eq $bytes, 'sha512 link of sha256 content - bytes');

# a tag that moves is seen at most two seconds later, one that goes, too

$layout->manifest('team/move', $manifests{oci}[0], 'latest');
$t->get('/v2/team/move/manifests/latest');
$layout->tag('team/move', 'latest',
    $layout->manifest('team/move', $manifests{docker}[0]));

my $begun = time();
ok(wait_for(sub { $t->head('/v2/team/move/manifests/latest')
    ->header('Docker-Content-Digest') eq $digest{docker} }, 4),
    'a tag moves');
cmp_ok(time() - $begun, '<', 2.5, 'a tag moves - in time');

$s3->delete($layout->tag_key('team/move', 'latest'));
ok(wait_for(sub { $t->head('/v2/team/move/manifests/latest')->status == 404 },
    4), 'a tag goes');
is($t->get("/v2/team/move/manifests/$digest{docker}")->status, 200,
    'a tag goes - its manifest stays');

# an unknown tag is asked for again after a second

$t->get('/v2/team/app/manifests/coming');
$layout->tag('team/app', 'coming', $digest{oci});
ok(wait_for(sub { $t->get('/v2/team/app/manifests/coming')->status == 200 },
    4), 'a tag comes');

is(scalar($s3->unsigned()), 0, 'all requests to S3 rightly signed');

finish();

###############################################################################
