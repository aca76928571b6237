#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for pushing: upload sessions, manifests, deletes, and everything that
# is refused, after which the bucket is as it was.

###############################################################################

use warnings;
use strict;

use Test::More;

use Digest::SHA qw/ sha256_hex sha512_hex /;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::Directory qw/ store /;
use Test::Registry::Response;
use Test::Registry::Util qw/ write_file temp_dir wait_for random_bytes /;

###############################################################################

my $s3 = store();
my $uploads = temp_dir('uploads');
my $t = Test::Registry->node($s3, workers => 2, location => "
    registry_push on;
    registry_upload_path $uploads;
    client_max_body_size 0;");
my $node = Test::Registry->node($s3);

sub digest { 'sha256:' . sha256_hex($_[0]) }
sub keys_now { join "\n", $s3->keys($s3->prefix) }
sub sessions { my @files = grep { -f } glob "$uploads/*"; return @files }

sub push_blob {
    my ($repo, $content) = @_;

    my $r = $t->request('POST', "/v2/$repo/blobs/uploads/?digest="
        . digest($content), body => $content);

    return $r->status == 201 ? digest($content) : die $r->body;
}

sub session {
    my ($repo) = @_;

    my $r = $t->request('POST', "/v2/$repo/blobs/uploads/", body => '');
    return $r->header('Location') =~ s{^https?://[^/]+}{}r;
}

# Content-Type is the mediaType of the manifest

sub put_manifest {
    my ($repo, $reference, $json, $type) = @_;

    $type //= $json =~ /"mediaType":"([^"]+)","config/ ? $1
        : 'application/vnd.oci.image.manifest.v1+json';
    return $t->request('PUT', "/v2/$repo/manifests/$reference", body => $json,
        headers => [ 'Content-Type', $type ]);
}

sub manifest {
    my ($config, @layers) = @_;

    my $type = 'application/vnd.oci.image.manifest.v1+json';
    return qq({"schemaVersion":2,"mediaType":"$type","config":)
        . descriptor('application/vnd.oci.image.config.v1+json', $config)
        . ',"layers":[' . join(',', map { descriptor(
            'application/vnd.oci.image.layer.v1.tar+gzip', $_) } @layers)
        . ']}';
}

sub descriptor {
    my ($type, $content) = @_;

    return sprintf '{"mediaType":"%s","digest":"%s","size":%d}', $type,
        digest($content), length $content;
}

###############################################################################

# the ways in which a blob comes

my $r = $t->request('POST', '/v2/team/app/blobs/uploads/', body => '');
is($r->status, 202, 'POST');
like($r->header('Location'), qr{/v2/team/app/blobs/uploads/[^/]+$},
    'POST - Location');
is($r->header('Range'), '0-0', 'POST - Range');
ok(defined $r->header('Docker-Upload-UUID'), 'POST - uuid');

my $at = $r->header('Location') =~ s{^https?://[^/]+}{}r;
my $text = join '', map { "$_\n" } 1 .. 40000;
my $half = length($text) / 2 | 0;

$r = $t->request('PATCH', $at, body => substr($text, 0, $half));
is($r->status, 202, 'PATCH');
is($r->header('Range'), '0-' . ($half - 1), 'PATCH - Range');

$r = $t->get($at);
is($r->status, 204, 'GET of a session');
is($r->header('Range'), '0-' . ($half - 1), 'GET of a session - Range');

$t->reload();

$r = $t->request('PATCH', $at, body => 'x' x 10,
    headers => [ 'Content-Range', '5-14' ]);
is($r->status, 416, 'chunk out of order');
is($r->header('Range'), '0-' . ($half - 1), 'chunk out of order - Range');

$r = $t->request('PATCH', $at, chunked => [ substr($text, $half, 100) ]);
is($r->status, 202, 'PATCH - chunked, after a reload');

$r = $t->request('PATCH', $at, body => substr($text, $half + 100, 100),
    headers => [ 'Content-Range',
        ($half + 100) . '-' . ($half + 199) ]);
is($r->status, 202, 'PATCH - Content-Range');

is(keys_now(), '', 'bucket is empty until the blob is verified');

$r = $t->request('PUT', "$at?digest=" . digest($text),
    body => substr($text, $half + 200));
is($r->status, 201, 'PUT with the last bytes');
is($r->header('Docker-Content-Digest'), digest($text), 'PUT - digest');
like($r->header('Location'), qr{/v2/team/app/blobs/sha256:}, 'PUT - Location');
is($t->get($at)->status, 404, 'session is gone');
is(scalar(sessions()), 0, 'its files, too');
is($node->get('/v2/team/app/blobs/' . digest($text))->body, $text,
    'a node has the blob');

is_deeply([ map { s{^\Q@{[$s3->prefix]}\E/?}{}r } $s3->keys($s3->prefix) ],
    [ sort map { "docker/registry/v2/$_" }
        'blobs/sha256/' . substr(sha256_hex($text), 0, 2) . '/'
            . sha256_hex($text) . '/data',
        'repositories/team/app/_layers/sha256/' . sha256_hex($text)
            . '/link' ], 'layout is that of distribution');

# a worker that is to exit has a blob to read first, and nothing else to do

my $long = random_bytes(1_000_000, 'long') x 100;
$at = session('team/app');
is($t->request('PATCH', $at, body => $long)->status, 202, 'a long blob');

my $patient = $t->client();
my $line = $patient->connect();
my $answer = Test::Registry::Response->new(method => 'PUT');

$patient->write_all($line, $patient->format('PUT',
    "$at?digest=sha512:" . sha512_hex($long), body => ''));
select undef, undef, undef, 0.05;
$t->reload();
$patient->read_response($line, $answer);
is($answer->status, 201, 'a reload while it is hashed')
    or diag $answer->error;

is(push_blob('team/app', 'one'), digest('one'), 'POST with digest');
is(push_blob('team/app', ''), digest(''), 'an empty blob');

$at = session('team/app');
is($t->request('PATCH', $at, body => 'two')->status, 202, 'PATCH all');
is($t->request('PUT', "$at?digest=sha512:" . sha512_hex('two'))->status, 201,
    'PUT by sha512');
is($node->get('/v2/team/app/blobs/sha512:' . sha512_hex('two'))->body, 'two',
    'sha512 from a node');

$at = session('team/app');
is($t->request('DELETE', $at)->status, 204, 'DELETE of a session');
is($t->get($at)->status, 404, 'it is gone');
is($t->request('PATCH', $at, body => 'x')->status, 404, 'PATCH of it');
is($t->request('PATCH', $at, body => 'x')->code, 'BLOB_UPLOAD_UNKNOWN',
    'PATCH of it - code');

# mounts

my $one = digest('one');
$r = $t->request('POST', "/v2/team/b/blobs/uploads/?mount=$one&from=team/app");
is($r->status, 201, 'mount');
is($r->header('Docker-Content-Digest') // $one, $one, 'mount - digest');
is($node->get("/v2/team/b/blobs/$one")->body, 'one', 'mount - from a node');
is($t->request('POST', "/v2/team/c/blobs/uploads/?mount=$one")->status, 201,
    'anonymous mount');
is($t->request('POST', '/v2/team/c/blobs/uploads/?mount='
    . digest('nowhere'))->status, 202, 'mount of what is nowhere');
is($t->request('POST', '/v2/team/c/blobs/uploads/?mount=' . digest('nowhere')
    . '&from=team/app')->status, 202, 'mount from where it is not');
is($t->request('POST', "/v2/team/d/blobs/uploads/?mount=$one&from=../team/app")
    ->status, 201, 'a bad name in from is no name');

# manifests

my $config = '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers"}}';
push_blob('team/app', $_) for $config, 'layer 1';

my $json = manifest($config, 'layer 1');

is($node->get('/v2/team/app/manifests/v1')->status, 404, 'no tag so far');

$r = put_manifest('team/app', 'v1', $json);
is($r->status, 201, 'manifest by tag');
is($r->header('Docker-Content-Digest'), digest($json), 'manifest - digest');

ok(wait_for(sub { $node->get('/v2/team/app/manifests/v1')->status == 200 }, 2),
    'a node has the tag within two seconds');
is($node->get('/v2/team/app/manifests/v1')->body, $json,
    'and the same bytes');

my $spaced = " \n" . ($json =~ s/,/ ,\n\t/gr) . "\n";
is(put_manifest('team/app', digest($spaced), $spaced)->status, 201,
    'manifest by digest');
is($t->get('/v2/team/app/manifests/' . digest($spaced))->body, $spaced,
    'bytes are kept as they came');

$r = put_manifest('team/app', digest($json) . '?tag=x1&tag=x2', $json);
is($r->status, 201, 'tag parameters');
is($t->get("/v2/team/app/manifests/$_")->body, $json, "tag $_")
    for qw/ x1 x2 /;

is(put_manifest('team/app', 'v1', $spaced)->status, 201, 'the tag is moved');
is($t->get('/v2/team/app/manifests/v1')->body, $spaced, 'at once on this host');

my $large = manifest($config, 'layer 1');
$large =~ s/\}$/',"annotations":{"x":"' . 'y' x 3_500_000 . '"}}'/e;
is(put_manifest('team/app', 'large', $large)->status, 201, '3.5 MB manifest');
is($node->get('/v2/team/app/manifests/large')->body, $large,
    '3.5 MB manifest from a node');

# deletes

is($t->request('DELETE', '/v2/team/app/manifests/x1')->status, 202,
    'DELETE of a tag');
is($t->get('/v2/team/app/manifests/x1')->status, 404, 'gone at once');
is($t->get('/v2/team/app/manifests/x2')->status, 200, 'another tag stays');
is($t->request('DELETE', '/v2/team/app/manifests/x1')->status, 404,
    'DELETE of a tag again');

# what a push or a delete that broke off has left goes too, and the link by
# which a delete finds its object goes last, so that it can be repeated

my ($current) = grep { m{/tags/x2/current/link$} } $s3->keys($s3->prefix);
my $tag_key = $current =~ s{/current/link$}{}r;

$s3->delete($current);
$r = $t->request('DELETE', '/v2/team/app/manifests/x2');
is($r->status, 202, 'DELETE of what is left of a tag');
is(join("\n", $s3->keys($tag_key)), '', 'nothing is left of it');
is($t->request('DELETE', '/v2/team/app/manifests/x2')->code,
    'MANIFEST_UNKNOWN', 'DELETE of it again');

put_manifest('team/app', 'x2', $json);
put_manifest('team/app', 'x3', $json);
$s3->forget;
is($t->request('DELETE', '/v2/team/app/manifests/x3')->status, 202,
    'DELETE of a tag that was pushed again');

SKIP: {
    skip 'needs the log of versitygw', 2 unless $s3->counts;

    my @deleted = map { $_->{key} } $s3->requests(method => 'DELETE');
    cmp_ok(scalar @deleted, '>', 1, 'DELETE of a tag - its objects');
    like($deleted[-1], qr{/x3/current/link$}, 'the current link goes last');
}

is($t->request('DELETE', '/v2/team/app/manifests/' . digest($json))->status,
    202, 'DELETE of a manifest');
is($t->get('/v2/team/app/manifests/' . digest($json))->status, 404,
    'gone by digest');
is($t->get('/v2/team/app/manifests/x2')->status, 404, 'with its tags');
is($t->get('/v2/team/app/manifests/v1')->status, 200,
    'a tag that was moved away stays');
is($t->request('DELETE', "/v2/team/b/blobs/$one")->status, 202,
    'DELETE of a blob');
is($t->get("/v2/team/b/blobs/$one")->status, 404, 'gone');
is($t->get("/v2/team/app/blobs/$one")->status, 200,
    'the other repository has it');
is($t->request('DELETE', "/v2/team/b/blobs/$one")->status, 404,
    'DELETE of a blob again');

###############################################################################

# what is refused: name, request, status and code; the session, where there is
# one, holds "abc"

my $abc = digest('abc');
my $zeros = 'sha256:' . '0' x 64;
my $type = 'application/vnd.oci.image.manifest.v1+json';
my $foreign = push_blob('team/other', 'of another repository');

sub on_session { my ($name, $method, $query, $status, $code, %opt) = @_;
    return [ $name, $method, sub { session_with_abc() . $query }, $status,
        $code, %opt ];
}

sub on_manifest { my ($name, $reference, $body, $status, $code, %opt) = @_;
    return [ $name, 'PUT', "/v2/team/app/manifests/$reference", $status,
        $code, body => $body, headers => [ 'Content-Type', $type ], %opt ];
}

sub session_with_abc {
    my $at = session('team/app');
    $t->request('PATCH', $at, body => 'abc');
    return $at;
}

my $nested = '[' x 10000 . ']' x 10000;

my @refused = (
    on_session('wrong digest', 'PUT', "?digest=$zeros",
        400, 'DIGEST_INVALID'),
    on_session('digest of another algorithm', 'PUT',
        '?digest=md5:900150983cd24fb0d6963f7d28e17f72', 400, 'DIGEST_INVALID'),
    on_session('sha512 of something else', 'PUT',
        '?digest=sha512:' . sha512_hex('x'), 400, 'DIGEST_INVALID'),
    on_session('no digest', 'PUT', '', 400, 'DIGEST_INVALID'),
    on_session('empty digest', 'PUT', '?digest=', 400, 'DIGEST_INVALID'),
    on_session('short digest', 'PUT', '?digest=' . substr($abc, 0, -1),
        400, 'DIGEST_INVALID'),
    on_session('long digest', 'PUT', "?digest=${abc}0",
        400, 'DIGEST_INVALID'),
    on_session('digest in capitals', 'PUT',
        '?digest=sha256:' . uc sha256_hex('abc'), 400, 'DIGEST_INVALID'),
    on_session('digest with a bad escape', 'PUT', '?digest=sha256%3',
        400, 'DIGEST_INVALID'),
    on_session('digest with a NUL', 'PUT', "?digest=$abc%00",
        400, 'DIGEST_INVALID'),
    on_session('digest with a path', 'PUT', '?digest=sha256:..%2f..%2fx',
        400, 'DIGEST_INVALID'),

    [ 'POST, wrong digest', 'POST',
        "/v2/team/app/blobs/uploads/?digest=$zeros", 400, 'DIGEST_INVALID',
        body => 'abc' ],
    [ 'POST, malformed digest', 'POST',
        '/v2/team/app/blobs/uploads/?digest=abc', 400, 'DIGEST_INVALID',
        body => 'abc' ],
    [ 'malformed mount', 'POST',
        '/v2/team/app/blobs/uploads/?mount=sha256:..', 400,
        'DIGEST_INVALID' ],

    (map { on_session("Content-Range $_->[0]", 'PATCH', '', $_->[1], $_->[2],
        body => 'def', headers => [ 'Content-Range', $_->[0] ]) }
        [ 'x', 400, 'BLOB_UPLOAD_INVALID' ],
        [ '3', 400, 'BLOB_UPLOAD_INVALID' ],
        [ '-5', 400, 'BLOB_UPLOAD_INVALID' ],
        [ '5-3', 400, 'BLOB_UPLOAD_INVALID' ],
        [ '3-99999999999999999999', 400, 'BLOB_UPLOAD_INVALID' ],
        [ '0-2', 416, 'BLOB_UPLOAD_INVALID' ],
        [ '4-6', 416, 'BLOB_UPLOAD_INVALID' ],
        [ '3-4', 400, 'SIZE_INVALID' ],
        [ '3-9', 400, 'SIZE_INVALID' ]),
    on_session('a chunked body longer than Content-Range', 'PATCH', '',
        400, 'SIZE_INVALID', chunked => [ 'def', 'ghi' ],
        headers => [ 'Content-Range', '3-5' ]),
    on_session('a chunked body shorter than Content-Range', 'PATCH', '',
        400, 'SIZE_INVALID', chunked => [ 'd' ],
        headers => [ 'Content-Range', '3-5' ]),

    (map { my $uuid = $_; map { [ "$_ of session $uuid", $_,
        "/v2/team/app/blobs/uploads/$uuid"
        . ($_ eq 'PUT' ? "?digest=$abc" : ''), '40[045]', undef,
        body => 'abc' ] }
        qw/ PATCH PUT DELETE / }
        '01936a2e-7b1c-7a3d-9c45-0123456789ab', 'x', '..%2f..%2fetc',
        '%00', '01936a2e-7b1c-7a3d-9c45-0123456789ab%2f..', 'a' x 300),
    [ 'session of another repository', 'PATCH',
        sub { session_with_abc() =~ s/app/other/r }, 404,
        'BLOB_UPLOAD_UNKNOWN', body => 'x' ],

    (map { [ "name $_", 'POST', "/v2/$_/blobs/uploads/", '4\d\d', undef,
        body => '' ] }
        'Team/app', 'team/_app', 'team/app-', '%2e%2e/app',
        'team/%2e%2e/%2e%2e', 'team%2f..%2f..%2fapp', 'team/app%00',
        'team/%0d%0aapp', 'a' x 256, 'team/../../blobs'),

    on_manifest('a tag that begins with a dot', '.v1', $json,
        '4\d\d', undef),
    on_manifest('a tag of 129 characters', 't' x 129, $json, '4\d\d', undef),
    on_manifest('a tag with a slash', 'v1%2fv2', $json, '4\d\d', undef),
    on_manifest('a tag with dots', '..%2f..%2fx', $json, '4\d\d', undef),
    on_manifest('a tag with NUL', 'v1%00', $json, '4\d\d', undef),
    on_manifest('a bad tag parameter', digest($json) . '?tag=.x', $json,
        400, undef),
    on_manifest('wrong digest of a manifest', $zeros, $json, 400,
        'DIGEST_INVALID'),
    on_manifest('malformed digest of a manifest', 'sha256:00', $json,
        '4\d\d', undef),

    on_manifest('an empty manifest', 'bad', '', 400, 'MANIFEST_INVALID'),
    on_manifest('no JSON', 'bad', 'manifest', 400, 'MANIFEST_INVALID'),
    on_manifest('an array', 'bad', '[]', 400, 'MANIFEST_INVALID'),
    on_manifest('cut JSON', 'bad', substr($json, 0, -1), 400,
        'MANIFEST_INVALID'),
    on_manifest('more behind JSON', 'bad', "$json}", 400, 'MANIFEST_INVALID'),
    on_manifest('deep JSON', 'bad', $nested, 400, 'MANIFEST_INVALID'),
    on_manifest('deep annotations', 'bad',
        $json =~ s/\}$/,"annotations":$nested}/r, 400, 'MANIFEST_INVALID'),
    on_manifest('duplicate config', 'bad',
        $json =~ s/^\{/'{"config":' . descriptor('x', 'abc') . ','/er,
        400, 'MANIFEST_INVALID'),
    on_manifest('duplicate mediaType', 'bad',
        $json =~ s/^\{/{"mediaType":"x",/r, 400, 'MANIFEST_INVALID'),
    on_manifest('NUL in JSON', 'bad', $json =~ s/linux|schema/sch\0ema/r,
        400, 'MANIFEST_INVALID'),
    on_manifest('a control byte in a string', 'bad',
        $json =~ s/\}$/,"x":"\x01"}/r, 400, 'MANIFEST_INVALID'),
    on_manifest('not UTF-8', 'bad', $json =~ s/\}$/,"x":"\xff\xfe"}/r,
        400, 'MANIFEST_INVALID'),
    on_manifest('schemaVersion 1', 'bad',
        $json =~ s/"schemaVersion":2/"schemaVersion":1/r, '4\d\d', undef),
    on_manifest('a bad digest in it', 'bad', $json =~ s/sha256:/sha256:x/r,
        400, 'MANIFEST_INVALID'),
    on_manifest('a negative size', 'bad', $json =~ s/"size":/"size":-/r,
        400, 'MANIFEST_INVALID'),
    (map { on_manifest("$_->[0]", 'bad', $_->[1], 400, 'MANIFEST_INVALID',
        detail => $_->[2]) }
        [ 'null among layers', $json =~ s/"layers":\[/"layers":[null,/r,
            qr/element of a list/ ],
        [ 'a string among layers', $json =~ s/"layers":\[/"layers":["x",/r,
            qr/element of a list/ ],
        [ 'layers that are no list',
            $json =~ s/"layers":\[.*\]/"layers":"x"/r, qr/"layers"/ ],
        [ 'no size', $json =~ s/,"size":\d+//r, qr/no size/ ],
        [ 'a string for a size', $json =~ s/"size":(\d+)/"size":"$1"/r,
            qr/size of a descriptor/ ],
        [ 'half a byte', $json =~ s/"size":(\d+)/"size":$1.5/r,
            qr/size of a descriptor/ ],
        [ 'no config', $json =~ s/"config":.*?\},//r, qr/no "config"/ ],
        [ 'null for a config', $json =~ s/"config":.*?\},/"config":null,/r,
            qr/no "config"/ ],
        [ 'an annotation that is no string',
            $json =~ s/\}$/,"annotations":{"a":1}}/r, qr/annotation/ ],
        [ 'annotations of a layer that are no strings',
            $json =~ s/\}\]/,"annotations":{"a":{"b":"c"}}}]/r,
            qr/annotation/ ],
        [ 'annotations that are a list',
            $json =~ s/\}$/,"annotations":["a"]}/r, qr/"annotations/ ],
        [ 'a number for a type',
            $json =~ s/"mediaType":"[^"]*","digest/"mediaType":1,"digest/r,
            qr/mediaType/ ],
        [ 'a subject that is a string', $json =~ s/\}$/,"subject":"x"}/r,
            qr/"subject/ ]),
    on_manifest('a layer as a child', 'bad',
        '{"schemaVersion":2,"manifests":[' . descriptor($type, 'layer 1')
        . ']}', '40[04]', 'MANIFEST_BLOB_UNKNOWN', headers => [
        'Content-Type', 'application/vnd.oci.image.index.v1+json' ]),
    on_manifest('5,000 layers', 'bad', manifest($config, 1 .. 5000), 413,
        'SIZE_INVALID'),
    on_manifest('another Content-Type', 'bad', $json, 400,
        'MANIFEST_INVALID', headers => [ 'Content-Type',
        'application/vnd.oci.image.index.v1+json' ]),
    on_manifest('a type that browsers show', 'bad',
        '{"schemaVersion":2,"mediaType":"text/html","a":"<script></script>"}',
        400, 'MANIFEST_INVALID', headers => [ 'Content-Type', 'text/html' ]),
    on_manifest('a missing blob', 'bad', manifest($config, 'missing'),
        '40[04]', 'MANIFEST_BLOB_UNKNOWN'),
    on_manifest('a missing config', 'bad', manifest('{}', 'layer 1'),
        '40[04]', 'MANIFEST_BLOB_UNKNOWN'),
    on_manifest('a blob of another repository', 'bad',
        manifest($config, 'of another repository'), '40[04]',
        'MANIFEST_BLOB_UNKNOWN'),
    on_manifest('a missing child', 'bad',
        '{"schemaVersion":2,"manifests":[' . descriptor($type, 'x') . ']}',
        '40[04]', 'MANIFEST_BLOB_UNKNOWN', headers => [ 'Content-Type',
        'application/vnd.oci.image.index.v1+json' ]),
    on_manifest('5 MB', 'bad',
        $json =~ s/\}$/',"x":"' . 'y' x 5_000_000 . '"}'/er, 413, undef),
    on_manifest('5 MB, chunked', 'bad', undef, 413, undef,
        chunked => [ ('y' x 1_000_000) x 5 ]),

    [ 'DELETE of a manifest that is not there', 'DELETE',
        "/v2/team/app/manifests/$zeros", 404, 'MANIFEST_UNKNOWN' ],
    [ 'DELETE of a blob that is not there', 'DELETE',
        "/v2/team/app/blobs/$zeros", 404, 'BLOB_UNKNOWN' ],
    [ 'DELETE of a malformed digest', 'DELETE',
        '/v2/team/app/blobs/sha256:0', '4\d\d', undef ],
    [ 'PUT of tags', 'PUT', '/v2/team/app/tags/list', 405, 'UNSUPPORTED' ],
    [ 'POST of a manifest', 'POST', '/v2/team/app/manifests/v1', 405,
        'UNSUPPORTED' ],
    [ 'PUT of a blob', 'PUT', "/v2/team/app/blobs/$abc", 405,
        'UNSUPPORTED' ],
);

my $before = keys_now();

for (@refused) {
    my ($name, $method, $path, $status, $code, %opt) = @$_;

    my $detail = delete $opt{detail};
    my $r = $t->request($method, ref $path ? $path->() : $path, %opt);

    like($r->status, qr/^$status$/, $name) or diag($r->body);
    is($r->code, $code, "$name - code") if defined $code;
    like($r->body =~ s/\\"/"/gr, $detail, "$name - detail")
        if defined $detail;

    # nginx itself answers what is no HTTP, and what leads out of /v2/
    like($r->body, qr/^\{"errors":\[/, "$name - JSON")
        unless $r->body =~ /^<html>/ && $r->status =~ /^40[04]$/;
}

is(keys_now(), $before, 'bucket is unchanged');

# what is no fault: null for what is absent, an index of blobs, many layers

is(put_manifest('team/app', 'null',
    $json =~ s/\}$/,"subject":null,"annotations":null}/r)->status, 201,
    'null for what is absent');
is($t->request('PUT', '/v2/team/app/manifests/cache', body =>
    '{"schemaVersion":2,"manifests":[' . descriptor(
    'application/vnd.oci.image.layer.v1.tar+gzip', 'layer 1') . ']}',
    headers => [ 'Content-Type', 'application/vnd.oci.image.index.v1+json' ])
    ->status, 201, 'an index of blobs');

push_blob('team/wide', "wide $_") for 1 .. 100;
is($t->request('DELETE', "/v2/team/wide/blobs/" . digest('wide 50'))->status,
    202, 'one of a hundred layers is gone');
$t->restart();
is(put_manifest('team/wide', 'v1', manifest(map { "wide $_" } 1 .. 100))
    ->code, 'MANIFEST_BLOB_UNKNOWN', 'a hundred layers, one is missing');
push_blob('team/wide', 'wide 50');
is(put_manifest('team/wide', 'v1', manifest(map { "wide $_" } 1 .. 100))
    ->status, 201, 'a hundred layers');

# many tags of one manifest, among many tags

my $wide = digest(manifest(map { "wide $_" } 1 .. 100));

for my $n (1 .. 3) {
    is(put_manifest('team/wide', "$wide?" . join('&', map { "tag=v$n-$_" }
        1 .. 64), manifest(map { "wide $_" } 1 .. 100))->status, 201,
        "64 tags, $n");
}

my $narrow = manifest('wide 1', 'wide 2');
is(put_manifest('team/wide', 'narrow', $narrow)->status, 201, 'another tag');
is($t->request('DELETE', "/v2/team/wide/manifests/$wide")->status, 202,
    'DELETE of a manifest with 193 tags');
is($t->get('/v2/team/wide/tags/list')->body =~ s/\s//gr,
    '{"name":"team/wide","tags":["narrow"]}',
    'DELETE of a manifest with 193 tags - another one stays');

# many referrers come in pages

my $subject = '{"mediaType":"' . $type . '","digest":"' . digest($narrow)
    . '","size":' . length($narrow) . '}';

for my $n (1 .. 44) {
    my $json = manifest('wide 1') =~ s/\}$//r
        . ',"artifactType":"a/' . $n % 2 . '","annotations":{"n":"' . $n
        . '","x":"' . 'y' x 100_000 . qq("},"subject":$subject});
    is(put_manifest('team/wide', digest($json), $json)->status, 201,
        "referrer $n");
}

for my $filter ('', 'a/1') {
    my $path = "/v2/team/wide/referrers/" . digest($narrow)
        . ($filter && '?artifactType=a%2F1');
    my (%seen, @pages);

    while ($path && @pages < 10) {
        my $r = $t->get($path);
        push @pages, length $r->body;
        $seen{$_}++ for $r->body =~ /"n":"(\d+)"/g;
        ($path) = ($r->header('Link') // '') =~ /^<(.*)>; rel="next"$/;
    }

    my $what = $filter ? 'filtered' : 'all';
    is_deeply(\%seen, { map { $_ => 1 } grep { !$filter || $_ % 2 } 1 .. 44 },
        "referrers, $what - each once");
    is(scalar @pages, $filter ? 2 : 3, "referrers, $what - pages");
    is(scalar(grep { $_ > 2_500_000 } @pages), 0,
        "referrers, $what - short ones");
}

is($t->get('/v2/team/wide/referrers/' . digest($narrow) . '?last=%')->status,
    400, 'referrers - last is not encoded');

# what was damaged since is pushed again

for ([ blob => sub { push_blob('team/damage', 'content') },
        '/v2/team/damage/blobs/' . digest('content') ],
    [ manifest => sub { put_manifest('team/wide', 'narrow', $narrow) },
        '/v2/team/wide/manifests/' . digest($narrow) ])
{
    my ($what, $push, $path) = @$_;

    $push->();
    my $content = $t->get($path)->body;
    my $hex = sha256_hex($content);
    my ($key) = grep { m{/$hex/data$} } $s3->keys($s3->prefix);

    for my $bad ('x' x length $content, 'short') {
        $s3->put($key, $bad);
        $push->();
        is($t->get($path)->body, $content,
            "damaged $what, @{[length $bad]} bytes - pushed again");
    }
}

# nginx makes a path simple before anybody looks at it, and before it chooses
# a location with its passwords

for ('team//app', 'other%2f..%2fteam/app', 'other/../team/app') {
    like($t->request('POST', "/v2/$_/blobs/uploads/", body => '')
        ->header('Location'), qr{/v2/team/app/blobs/uploads/}, "name $_");
}

# a body shorter than said: the connection ends before it does

$at = session('team/app');
my $client = $t->client;
my $socket = $client->connect();
$client->write_all($socket, "PATCH $at HTTP/1.1\r\nHost: x\r\n"
    . "Content-Length: 100\r\n\r\nabc");
close $socket;

ok(wait_for(sub { ($t->get($at)->header('Range') // '') eq '0-2' }, 3),
    'a cut PATCH keeps what came');
is($t->request('PATCH', $at, body => 'def')->status, 202, 'and goes on');
is($t->request('PUT', "$at?digest=" . digest('abcdef'))->status, 201,
    'to its end');

# the last bytes of a blob come as a whole, or not at all

$at = session('team/app');
$socket = $client->connect();
$client->write_all($socket, "PUT $at?digest=" . digest('abcdef')
    . " HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc");
close $socket;
select undef, undef, undef, 0.2;
is($t->request('PUT', "$at?digest=" . digest('abcdef'), body => 'abcdef')
    ->status, 201, 'a cut PUT is repeated');

# a disk that changes bytes: S3 would confirm whatever it is sent

my $pushed = join '', map { pack 'N*', $_ .. $_ + 65_535 }
    map { $_ * 65_536 } 0 .. 79;
$at = session('team/disk');
is($t->request('PATCH', $at, body => $pushed)->status, 202, '20 MiB');

my ($file) = grep { -s $_ == length $pushed } sessions();
open my $disk, '+<', $file or die "$file: $!";
sysseek $disk, 17_000_000, 0;
syswrite $disk, 'damaged';
close $disk;

$before = keys_now();
is($t->request('PUT', "$at?digest=" . digest($pushed), timeout => 30)->status,
    500, 'a spool that was damaged');
is(keys_now(), $before, 'a spool that was damaged - nothing is stored');
is($t->get($at)->status, 404, 'a spool that was damaged - no session');
ok(wait_for(sub { $t->log() =~ /is not what was received/ }, 3),
    'a spool that was damaged - log');
is(push_blob('team/disk', $pushed), digest($pushed), 'pushed again');
ok($node->get('/v2/team/disk/blobs/' . digest($pushed))->body eq $pushed,
    'pushed again - bytes');

# a damaged state is no session, and nothing worse

$at = session_with_abc();
my ($uuid) = $at =~ m{([^/]+)$};

for my $file (grep { /\Q$uuid\E/ } sessions()) {
    my $size = -s $file;
    write_file($file, 'x' x $size) if $size;
}

$r = $t->request('PUT', "$at?digest=" . digest('abc'));
like($r->status, qr/^(?:400|404|503)$/, 'damaged session');
is(keys_now() =~ /@{[sha256_hex('xxx')]}/ ? 1 : 0, 0,
    'nothing of it is in the bucket');

# namespaces

my $sharded = Test::Registry->node($s3, location => '
    registry_push on;
    registry_push_namespaces team ops/tools;
    registry_upload_path %%dir%%/uploads;');

for (['team', 202], ['team/app', 202], ['teamwork', 403], ['ops', 403],
    ['ops/tools', 202], ['ops/tools/x', 202], ['ops/toolset', 403])
{
    my ($repo, $status) = @$_;

    my $r = $sharded->request('POST', "/v2/$repo/blobs/uploads/", body => '');
    is($r->status, $status, "namespace of $repo");
    next if $status != 403;

    is($r->code, 'DENIED', "namespace of $repo - code");
    like($r->body, qr{team.*ops/tools}, "namespace of $repo - names those "
        . 'allowed');
    is($sharded->request('PUT', "/v2/$repo/manifests/v1", body => '{}')
        ->status, 403, "namespace of $repo - manifest");
    is($sharded->request('DELETE', "/v2/$repo/manifests/v1")->status, 403,
        "namespace of $repo - delete");
}

is($sharded->get('/v2/team/other/blobs/' . $foreign)->status, 200,
    'namespaces are for writing only');

finish();

###############################################################################
