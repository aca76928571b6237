#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for buckets whose policy asks for headers: encryption where objects
# are made and nowhere else, a requester who pays everywhere; and for what is
# said when they are missing.

###############################################################################

use warnings;
use strict;

use Test::More;

use Digest::SHA qw/ sha256_hex /;
use FindBin;
use JSON::PP ();
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::S3;
use Test::Registry::Util qw/ random_bytes /;

###############################################################################

my $type = 'application/vnd.oci.image.manifest.v1+json';
my $config = '{"architecture":"amd64","os":"linux"}';
my $large = random_bytes(40 << 20, 'large');

sub digest { return 'sha256:' . sha256_hex($_[0]) }

sub writer {
    my ($s3, $headers, @more) = @_;

    return Test::Registry->node($s3, probe => 0, location => "
        registry_push on;
        registry_upload_path %%dir%%/uploads;
        client_max_body_size 0;
        $headers", @more);
}

sub push_blob {
    my ($t, $content) = @_;

    my $session = $t->request('POST', '/v2/team/app/blobs/uploads/',
        body => '')->header('Location') =~ s{^https?://[^/]+}{}r;

    return $t->request('PUT', $session . ($session =~ /\?/ ? '&' : '?')
        . 'digest=' . digest($content), body => $content);
}

sub push_manifest {
    my ($t, $tag) = @_;

    my $manifest = sprintf '{"schemaVersion":2,"mediaType":"%s","config":{'
        . '"mediaType":"application/vnd.oci.image.config.v1+json",'
        . '"digest":"%s","size":%d},"layers":[]}', $type, digest($config),
        length $config;

    return $t->request('PUT', "/v2/team/app/manifests/$tag",
        body => $manifest, headers => [ 'Content-Type', $type ]);
}

sub pulled {
    return digest($_[0]->get('/v2/team/app/blobs/' . digest($large))->body);
}

sub error { return JSON::PP->new->decode($_[0]->body)->{errors}[0] }

# encryption: on PutObject and CreateMultipartUpload, refused on all others

my %sse = ('x-amz-server-side-encryption' => 'aws:kms',
    'x-amz-server-side-encryption-aws-kms-key-id' => 'alias/registry');

my $s3 = Test::Registry::S3->new();
$s3->policy(sse => \%sse);

my $headers = join ' ', map { "registry_s3_header $_ $sse{$_} write;" }
    sort keys %sse;
my $default = $headers =~ s/ write;/;/gr;

for ([ 'write' => $headers ], [ 'without a scope' => $default ]) {
    my ($name, $directives) = @$_;
    my $t = writer($s3, $directives);

    is(push_blob($t, $config)->status, 201, "small blob, $name");
    is(push_blob($t, $large)->status, 201, "large blob, $name");
    is(push_manifest($t, 'v1')->status, 201, "manifest, $name");
    is($t->get('/v2/team/app/manifests/v1')->status, 200, "pull, $name");
    is(pulled($t), digest($large),
        "pull of a blob, $name");
    is($t->request('DELETE', '/v2/team/app/manifests/v1')->status, 202,
        "delete, $name");

    # the next round makes everything anew
    $s3->delete($_) for $s3->keys;
}

is($s3->count(status => 403) + $s3->count(status => 400), 0,
    'nothing is refused');
is_deeply([ $s3->uploads ], [], 'no upload is left');

my @parts = $s3->requests(method => 'PUT', target => qr/partNumber=/);
cmp_ok(scalar(@parts), '>=', 4, 'parts');
is(scalar(grep { $_->{headers}{'x-amz-server-side-encryption'} } @parts), 0,
    'parts - without the header');

# without the directive

my $t = writer($s3, '');

for ([ 'small blob', push_blob($t, $config) ],
    [ 'large blob', push_blob($t, $large) ],
    [ 'manifest', $t->request('PUT', '/v2/team/app/manifests/v2', body =>
        '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index'
        . '.v1+json","manifests":[]}', headers => [ 'Content-Type',
        'application/vnd.oci.image.index.v1+json' ]) ])
{
    my ($name, $r) = @$_;

    is($r->status, 502, "$name without the header");
    like(error($r)->{message}, qr/AccessDenied/, "$name without the header - cause");
    like(error($r)->{detail}, qr/x-amz-server-side-encryption.*registry_s3_header/,
        "$name without the header - names it");
}

like($t->log, qr/\[error\].*x-amz-server-side-encryption.*registry_s3_header/,
    'without the header - log');
is_deeply([ $s3->keys ], [], 'without the header - nothing is stored');

# a store without s3:ListBucket says AccessDenied for many things: not of a
# write

$t = writer($s3, '', registry => 'registry_s3_list_bucket off;');
is(push_blob($t, $config)->status, 502, 'without s3:ListBucket, too');

# a storage class, for data alone

$s3 = Test::Registry::S3->new();
$t = writer($s3, 'registry_s3_header x-amz-storage-class STANDARD_IA blob;');

is(push_blob($t, $config)->status, 201, 'storage class - small blob');
is(push_blob($t, $large)->status, 201, 'storage class - large blob');
is(push_manifest($t, 'v1')->status, 201, 'storage class - manifest');

my @with = grep { $_->{headers}{'x-amz-storage-class'} } $s3->requests();

is(join(' ', sort map { "$_->{method} " . ($_->{key} =~ m{/([^/]+)/data$})[0]
    } @with), join(' ', sort 'PUT ' . sha256_hex($config),
    'POST ' . sha256_hex($large)), 'storage class - data of blobs alone');

# who asks pays: every request says so

$s3 = Test::Registry::S3->new();
$s3->policy(payer => 1);
my $payer = 'registry_s3_header x-amz-request-payer requester all;';
$t = writer($s3, $payer);

is(push_blob($t, $config)->status, 201, 'payer - small blob');
is(push_blob($t, $large)->status, 201, 'payer - large blob');
is(push_manifest($t, 'v1')->status, 201, 'payer - manifest');

my $node = Test::Registry->node($s3, registry => $payer);

is($node->get('/v2/team/app/manifests/v1')->status, 200, 'payer - node');
is(pulled($node), digest($large),
    'payer - node, blob');
is($node->get('/v2/team/app/tags/list')->status, 200, 'payer - node, tags');
is($s3->count(status => 403), 0, 'payer - nothing is refused');

# those who do not say it

$node = Test::Registry->node($s3, probe => 0);
my $r = $node->get('/v2/team/app/manifests/v1');

is($r->status, 502, 'no payer - node');
like(error($r)->{detail}, qr/x-amz-request-payer.*registry_s3_header/,
    'no payer - node is told');
like($node->log, qr/x-amz-request-payer.*registry_s3_header/,
    'no payer - log');

$t = writer($s3, '');
$r = push_blob($t, 'new');
is($r->status, 502, 'no payer - push');
like(error($r)->{detail}, qr/x-amz-request-payer.*registry_s3_header/,
    'no payer - push is told');

# a policy that takes conditions amiss, or does not know them

for my $mode (qw/ ignored refused /) {
    $s3 = Test::Registry::S3->new();
    $s3->policy(conditional => $mode);
    $t = writer($s3, '');

    for my $time ('first', 'again') {
        is(push_blob($t, $config)->status, 201,
            "conditions $mode - small blob, $time");
        is(push_blob($t, $large)->status, 201,
            "conditions $mode - large blob, $time");
        is(push_manifest($t, 'v1')->status, 201,
            "conditions $mode - manifest, $time");
    }

    is(pulled($t), digest($large),
        "conditions $mode - pull");
    is_deeply([ $s3->uploads ], [], "conditions $mode - no upload is left");
}

finish();

###############################################################################
