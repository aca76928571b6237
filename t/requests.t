#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for what a pull costs: requests to S3, counted by S3.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::Gateway;
use Test::Registry::Image;
use Test::Registry::Layout;
use Test::Registry::Tools qw/ skopeo_pull /;
use Test::Registry::Util qw/ temp_dir need wait_for /;

###############################################################################

need('skopeo');

my $s3 = Test::Registry::Gateway->new(local => 1);
my $layout = Test::Registry::Layout->new($s3);

my $image = Test::Registry::Image->new(layers => [ map { 50_000 * $_ } 1 .. 10 ]);
$layout->image('team/app', $image, 'latest');

# a fresh node

my $t = Test::Registry->node($s3);

is(pull($t, 'cold'), '', 'cold pull');
cmp_ok($s3->count(), '<=', 13, 'cold pull - requests') or diag requests();

# the tag was asked for less than a second before

my $wrong;

for my $try (1 .. 5) {
    # on a busy machine the client may not be that fast at once

    $t->head('/v2/team/app/manifests/latest');
    $s3->forget();
    $wrong = pull($t, "warm-$try");
    last if length $wrong || !$s3->count();
}

is($wrong, '', 'pull again');
is($s3->count(), 0, 'pull again - no request') or diag requests();

# later

expired();
$s3->forget();
is(pull($t, 'later'), '', 'pull later');
cmp_ok($s3->count(), '<=', 1, 'pull later - requests') or diag requests();

# many containers start at once

expired();
$s3->forget();

my @r = $t->client->parallel([ map { [ 'HEAD',
    '/v2/team/app/manifests/latest' ] } 1 .. 100 ], 32);

is(scalar(grep { $_->status == 200 } @r), 100, '100 HEADs');
cmp_ok($s3->count(), '<=', 2, '100 HEADs - requests') or diag requests();

# a fresh node that many ask at once

my $fresh = Test::Registry->node($s3);

@r = $fresh->client->parallel([ map { my $blob = $_;
    map { [ 'GET', "/v2/team/app/blobs/$blob->{digest}", digest => 1 ] }
    1 .. 5 } $image->blobs ], 40);

is(scalar(grep { $_->complete && $_->status == 200 } @r), 55,
    'five pulls at once');
is($s3->count(key => qr/data$/), 11, 'five pulls at once - each blob once')
    or diag requests();

# workers share what they know

my $two = Test::Registry->node($s3, workers => 4);

is(pull($two, 'four'), '', 'four workers');
cmp_ok($s3->count(), '<=', 13, 'four workers - requests') or diag requests();

expired();
$s3->forget();
@r = $two->client->parallel([ map { [ 'HEAD',
    '/v2/team/app/manifests/latest' ] } 1 .. 100 ], 32);
cmp_ok($s3->count(), '<=', 2, 'four workers, 100 HEADs - requests')
    or diag requests();

# the access log tells the same

expired();
$two->get('/v2/team/app/manifests/latest');
ok(wait_for(sub { (reverse $two->access())[0]{s3_requests} == 1 }, 2),
    'in the access log');

finish();

###############################################################################

sub pull {
    my ($node, $name) = @_;

    my $dir = temp_dir("pull-$name-" . $node->port);
    my ($status, $output) = skopeo_pull($node->port, 'team/app:latest', $dir);

    return $status ? $output : $image->compare_dir($dir);
}


sub requests {
    return map { "$_->{operation} $_->{key} $_->{target}\n" }
        $s3->requests();
}


sub expired {
    my $end = time() + 2;

    select undef, undef, undef, 0.1 while time() <= $end;
    return;
}

###############################################################################
