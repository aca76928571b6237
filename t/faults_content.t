#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for objects that are not what a registry has stored, and for answers
# that are not what S3 says.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Util qw/ random_bytes temp_dir wait_for /;

###############################################################################

my $s3 = Test::Registry::S3->new();
my $layout = Test::Registry::Layout->new($s3);
my $t = Test::Registry->node($s3);

my $digest = $layout->manifest('team/app', '{"schemaVersion":2}', 'good');

# links

my %links = (
    'empty' => '', 'newline' => "$digest\n", 'blank' => " $digest",
    'short' => substr($digest, 0, 50), 'garbage' => "\0\xff" x 35,
    'html' => '<html><body>Welcome</body></html>',
    'upper' => 'sha256:' . 'A' x 64, 'algorithm' => 'md5:' . '0' x 32,
    'long' => $digest x 100, 'huge' => 'x' x 1_000_000
);

for my $name (sort keys %links) {
    $s3->put($layout->tag_key('team/app', $name), $links{$name});

    my $r = $t->get("/v2/team/app/manifests/$name");

    is($r->status, 502, "link, $name - 502");
    is($r->code, 'UNKNOWN', "link, $name - code");

    # mended: nothing wrong has been kept

    $layout->tag('team/app', $name, $digest);
    ok(wait_for(sub { $t->get("/v2/team/app/manifests/$name")->status == 200
        }, 3), "link, $name - mended");
}

like($t->log(), qr/\[error\].*registry: .*link.*digest/, 'link - log');

my $other = 'sha256:' . '1' x 64;
$s3->put($layout->revision_key('team/app', $other), "$digest\n");
is($t->get("/v2/team/app/manifests/$other")->status, 502, 'revision link');
$s3->put($layout->layer_key('team/app', $other), "$digest\n");
is($t->get("/v2/team/app/blobs/$other")->status, 502, 'layer link');

# manifests

my %manifests = (
    'no json' => 'this is no manifest', 'cut json' => '{"schemaVersion":2,',
    'array' => '[]', 'empty' => '', 'binary' => random_bytes(1000, 'json'),
    'deep' => '{"a":' x 5000, 'two' => '{"schemaVersion":2}{}',
    'number' => '42', 'too large' => '{"schemaVersion":2,"annotations":{"a":"'
        . 'x' x (4 << 20) . '"}}'
);

for my $name (sort keys %manifests) {
    my $tag = $name =~ s/ /-/gr;
    my $bad = $layout->manifest('team/bad', $manifests{$name}, $tag);

    for my $reference ($tag, $bad) {
        my $r = $t->get("/v2/team/bad/manifests/$reference");

        is($r->status, 502, "manifest, $name - 502");
        is($r->code, 'UNKNOWN', "manifest, $name - code");
    }

    is($t->head("/v2/team/bad/manifests/$tag")->status, 502,
        "manifest, $name - HEAD");
}

# a small blob is verified before its first byte is sent: the client is told

my $config = $layout->blob('team/app', '{"architecture":"amd64"}');
$s3->put($layout->blob_key($config), '{"architecture":"amd65"}');

for my $range (undef, 'bytes=0-5', undef) {
    my $r = $t->get("/v2/team/app/blobs/$config", Range => $range);
    my $what = 'small blob of another digest'
        . ($range ? ', a range of it' : '');

    is($r->status, 502, "$what - 502");
    is($r->code, 'UNKNOWN', "$what - code");
    like($r->body, qr/does not match digest/, "$what - message");
}

unlike($t->log(), qr/cannot be written/,
    'small blob of another digest - the disk is not to blame');

$s3->put($layout->blob_key($config), '{"architecture":"amd64"}');
is($t->get("/v2/team/app/blobs/$config")->body, '{"architecture":"amd64"}',
    'small blob of another digest - mended');

my $empty = $layout->blob('team/app', '');
is($t->get("/v2/team/app/blobs/$empty")->status, 200, 'empty blob');
is($t->get("/v2/team/app/blobs/$empty")->length, 0, 'empty blob - empty');

# bytes that are not those of the digest; later they are

my $bytes = '{"schemaVersion":2,"annotations":{"a":"b"}}';
my $wrong = $layout->manifest('team/app', $bytes, 'wrong');
$s3->put($layout->blob_key($wrong), $bytes =~ s/b"/c"/r);

for my $reference ('wrong', $wrong) {
    my $r = $t->get("/v2/team/app/manifests/$reference");

    is($r->status, 502, 'manifest of another digest - 502');
    is($r->code, 'UNKNOWN', 'manifest of another digest - code');
}

like($t->log(), qr/\[error\].*registry: .*digest/,
    'manifest of another digest - log');

$s3->put($layout->blob_key($wrong), $bytes);
ok(wait_for(sub { $t->get("/v2/team/app/manifests/$wrong")->body eq $bytes },
    3), 'manifest of another digest - mended');

# the index that a client keeps in a tag as a list of referrers

my $subject = 'sha256:' . 'a' x 64;
my $index = '{"schemaVersion":2,"manifests":[{"digest":"sha256:' . 'b' x 64
    . '","size":7,"mediaType":"application/vnd.oci.image.manifest.v1+json"}]}';

$layout->manifest('team/app', $index, 'sha256-' . 'a' x 64);
$s3->fault(key => qr/data$/, corrupt => index $index, 'manifests');
is($t->get("/v2/team/app/referrers/$subject")->status, 502,
    'damaged list of referrers');
$s3->clear_faults();
like($t->get("/v2/team/app/referrers/$subject")->body, qr/b{64}/,
    'damaged list of referrers - not kept');

# blobs: a wrong bit anywhere must not end in a whole answer, nor be kept

my $size = 300_000;
my $blob = random_bytes($size, 'blob');
my $expected = $layout->blob('team/app', $blob);
my $key = qr/\Q@{[ $layout->blob_key($expected) ]}\E/;

for (['first byte', corrupt => 0], ['last byte', corrupt => $size - 1],
    ['a byte', corrupt => 150_000], ['shorter', length => -1],
    ['much shorter', length => -200_000], ['longer', length => 7],
    ['other content', body => 'another object'], ['nothing', body => ''],
    ['other of that size', body => random_bytes($size, 'other')])
{
    my ($name, @fault) = @$_;
    $s3->fault(key => $key, @fault);

    my $r = $t->get("/v2/team/app/blobs/$expected");
    ok($r->status != 200 || !$r->complete, "blob, $name - no whole answer");

    $s3->clear_faults();
    $r = $t->get("/v2/team/app/blobs/$expected");
    ok($r->complete && $r->body eq $blob, "blob, $name - not kept")
        or diag $r->status, ' ', $r->error, ' ', $r->length;
    is($r->header('Content-Length'), $size, "blob, $name - length");

    # the next one must not find it in the cache either

    $expected = $layout->blob('team/app', $blob .= 'x');
    $size++;
    $key = qr/\Q@{[ $layout->blob_key($expected) ]}\E/;
}

# answers in other forms that are right all the same

for (['chunked', chunked => 1], ['until the end', no_length => 1]) {
    my ($name, @fault) = @$_;
    my $d = $layout->blob('team/app', $name);

    $s3->fault(key => qr/data$/, @fault);
    my $r = $t->get("/v2/team/app/blobs/$d");
    ok($r->status >= 500 || $r->body eq $name, "blob, $name");
    $s3->clear_faults();
}

# an S3 that knows no ranges

$expected = $layout->blob('team/app', $blob = random_bytes(10_000, 'range'));
$s3->fault(key => qr/data$/, ignore_range => 1);

my $r = $t->get("/v2/team/app/blobs/$expected", Range => 'bytes=100-199');

is($r->status, 206, 'range ignored by S3');
is($r->body, substr($blob, 100, 100), 'range ignored by S3 - bytes');
$s3->clear_faults();

# lists

my $list = '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    . '<IsTruncated>%s</IsTruncated>%s</ListBucketResult>';
my $entry = '<CommonPrefixes><Prefix>' . $layout->repository('team/app')
    . '/_manifests/tags/%s/</Prefix></CommonPrefixes>';

for (['cut xml', '<ListBucketResult><IsTruncated>'],
    ['html', '<html><body>Welcome</body></html>'], ['json', '{"a":1}'],
    ['empty', ''], ['binary', random_bytes(500, 'xml')],
    ['entities', '<!DOCTYPE x [<!ENTITY a "team">]>' . sprintf $list, 'false',
        sprintf $entry, '&a;'],
    ['outside', '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
        . sprintf $list, 'false', sprintf $entry, '&a;'],
    ['no token', sprintf $list, 'true', sprintf $entry, 'v1'],
    ['error', '<Error><Code>InternalError</Code></Error>'],
    ['deep', '<a>' x 100_000])
{
    my ($name, $xml) = @$_;
    $s3->fault(query => qr/list-type/, body => $xml,
        type => 'application/xml');

    for my $path ('/v2/team/app/tags/list', '/v2/_catalog') {
        my $r = $t->get($path);

        like($r->status, qr/^50[23]$/, "list, $name - $path");
        ok($r->code, "list, $name - error document");
    }

    $s3->clear_faults();
}

is($t->get('/v2/team/app/tags/list')->status, 200, 'list - well again');

# more than anybody would keep: the pages of proxies and portals.  It is not
# waited for, and does not look like an answer that was cut

my $uploads = temp_dir('uploads');
my $push = Test::Registry->node($s3, registry => 'registry_push on;'
    . "registry_upload_path $uploads;");

my $absent = 'sha256:' . '2' x 64;

for ([403, 502], [404, 502], [500, 503], [200, 502]) {
    my ($answer, $status) = @$_;

    for my $framing ('length', 'chunked') {
        for my $size (100_000, 900_000) {
            $s3->fault(status => $answer, type => 'text/html',
                body => '<html>' . 'x' x $size,
                chunked => $framing eq 'chunked');

            for my $node ($t, $push) {
                for my $path ('tags/list', 'manifests/none',
                    "manifests/$absent", "blobs/$absent")
                {
                    my $r = $node->client(timeout => 20)
                        ->get("/v2/team/app/$path");

                    is($r->status, $status,
                        "$answer, $size bytes, $framing - $path");
                    unlike($r->body, qr/cut/, "$answer, $size - reason");
                }
            }

            $s3->clear_faults();
        }
    }
}

is($_->get('/v2/team/app/manifests/good')->status, 200, 'well again')
    for $t, $push;

finish();

###############################################################################
