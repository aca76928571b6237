#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for a disk that is full in the middle of an upload: a clear answer,
# nothing that was promised is lost, and once there is room it goes on.

###############################################################################

use warnings;
use strict;

use Test::More;

use Digest::SHA qw/ sha256_hex /;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry::Engine qw/ enter_namespaces /;

BEGIN { enter_namespaces() }

use Test::Registry;
use Test::Registry::Audit qw/ audit /;
use Test::Registry::S3;
use Test::Registry::Util qw/ random_bytes run_command temp_dir write_file /;

###############################################################################

my $uploads = temp_dir('uploads');

is(run_command([qw/ mount -t tmpfs -o size=2m tmpfs /, $uploads]), 0,
    'a small disk');

my $s3 = Test::Registry::S3->new();
my $t = Test::Registry->node($s3, location => "
    registry_push on;
    registry_upload_path $uploads;
    client_max_body_size 0;");

# nginx tells itself, and so does the module

$t->expect_log(qr/\(28: No space left on device\)/);

my $content = random_bytes(1_500_000, 'content');
my @part = (substr($content, 0, 500_000), substr($content, 500_000));
my $digest = 'sha256:' . sha256_hex($content);

my $r = $t->request('POST', '/v2/team/app/blobs/uploads/', body => '');
my $session = path($r);
is($t->request('PATCH', $session, body => $part[0])->status, 202,
    'first part');

fill(1_000_000);

# a stream keeps what there was room for, a chunk comes again as a whole

$r = $t->request('PATCH', $session, body => $part[1],
    headers => [ 'Content-Range', '500000-1499999' ]);
full($r, 'PATCH with a range');
is($t->get($session)->header('Range'), '0-499999',
    'PATCH with a range - the session is as it was');

$r = $t->request('PATCH', $session, body => $part[1]);
full($r, 'PATCH');

my ($last) = $t->get($session)->header('Range') =~ /^0-(\d+)$/;
cmp_ok($last, '>=', 499_999, 'PATCH - what was promised is there');

$r = $t->request('PUT', "$session?digest=$digest",
    body => substr $content, $last + 1);
full($r, 'PUT with the rest');

$r = $t->request('POST', "/v2/team/app/blobs/uploads/?digest=$digest",
    body => $content);
full($r, 'POST with the blob');

# nothing is left at all

fill(10_000_000);
$r = $t->request('POST', '/v2/team/app/blobs/uploads/', body => '');
full($r, 'POST');

is_deeply([ $s3->keys ], [], 'nothing is in the bucket');
is($t->get('/v2/')->status, 200, 'the registry is there');

# there is room again

unlink "$uploads/filler";

($last) = $t->get($session)->header('Range') =~ /^0-(\d+)$/;
cmp_ok($last, '>=', 499_999, 'the session is there');
is($t->request('PATCH', $session, body => substr $content, $last + 1)->status,
    202, 'it goes on');
is($t->request('PUT', "$session?digest=$digest", body => '')->status, 201,
    'and ends');
is($t->get("/v2/team/app/blobs/$digest")->sha256, sha256_hex($content),
    'the blob is right');
is(join("\n", audit($s3)), '', 'the bucket is true');
is_deeply([ grep { !/lock-/ } glob "$uploads/*" ], [], 'nothing is left');

$t->stop();
run_command([qw/ umount /, $uploads]);
finish();

###############################################################################

sub path { return $_[0]->header('Location') =~ s{^https?://[^/]+}{}r }


sub full {
    my ($r, $name) = @_;

    is($r->status, 503, "$name - status");
    is($r->code, 'UNAVAILABLE', "$name - code");
    like($r->message, qr/local disk/, "$name - says why");
    ok($r->header('Retry-After'), "$name - may be tried again");
    return;
}


# So much, or all that there is, is taken.

sub fill {
    my ($size) = @_;

    open my $fh, '>>:raw', "$uploads/filler" or return;
    while ($size > 0 && (my $n = syswrite $fh, 'x' x 4096)) {
        $size -= $n;
    }
    close $fh;
    return;
}

###############################################################################
