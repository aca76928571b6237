#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests with a layer of more than 1 GiB that distribution has pushed, by all
# clients.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry::Engine qw/
    enter_namespaces host_name static_program architecture
/;

BEGIN { enter_namespaces() }

use Test::Registry;
use Test::Registry::Distribution;
use Test::Registry::Gateway;
use Test::Registry::Image;
use Test::Registry::Tools qw/ skopeo_push skopeo_pull crane /;
use Test::Registry::Util qw/ temp_dir remove_dir need need_inside /;

###############################################################################

need(qw/ skopeo docker-registry gcc /);

my $name = 'docker-local.example.com';
host_name($name);

my $s3 = Test::Registry::Gateway->new(local => 1);
my $distribution = Test::Registry::Distribution->new($s3);

my $image = Test::Registry::Image->new(type => 'docker',
    layers => [ 1000 ], command => [ '/hello' ],
    architecture => architecture(), files => {
        hello => [ static_program('pulled and run'), 0755 ],
        large => [ 1 << 30, 0644, 'large' ] });
my $layer = ($image->layers)[1];

cmp_ok($layer->{size}, '>', 1 << 30, 'a layer of more than 1 GiB');

my ($status, $output) = skopeo_push($image->write_dir(temp_dir('push')),
    $distribution->port, 'team/large:v1');

is($status, 0, 'pushed by distribution') or diag $output;
$distribution->stop();

my $t = Test::Registry->node($s3, ports => { '' => 5000 });

# skopeo, bit for bit

($status, $output) = skopeo_pull(5000, 'team/large:v1', temp_dir('pull'));

is($status, 0, 'pulled by skopeo') or diag $output;
is($image->compare_dir(temp_dir('pull')), '', 'pulled by skopeo - bytes');
remove_dir('pull');

# the others check the digests themselves

SKIP: {
    need_inside('crane', 1);

    ($status, $output) = crane('validate', '--remote',
        '127.0.0.1:5000/team/large:v1');
    is($status, 0, 'pulled by crane') or diag $output;
}

SKIP: {
    need_inside('dockerd', 3);

    my $engine = Test::Registry::Engine->new();

    ($status, $output) = $engine->docker('pull',
        "$name:5000/team/large:v1");
    is($status, 0, 'pulled by Docker Engine') or diag $output;

    ($status, $output) = $engine->docker(qw/ run --rm --network none /,
        "$name:5000/team/large:v1");
    is($output, "pulled and run\n", 'run by Docker Engine');
    $engine->docker('rmi', "$name:5000/team/large:v1");

    my $hosts = $engine->hosts_dir($name, 'http://127.0.0.1:5000');

    ($status, $output) = $engine->ctr_pull($hosts, "$name/team/large:v1");
    is($status, 0, 'pulled by containerd') or diag $output;

    $engine->stop();
}

# each slice once, whoever came first; now and then one is continued

my $slices = ($layer->{size} + (8 << 20) - 1) >> 23;
my $asked = $s3->count(key => qr/\Q@{[ substr $layer->{digest}, 7 ]}\E/);

cmp_ok($asked, '>=', $slices, 'fetched in slices');
cmp_ok($asked, '<=', $slices * 1.05, 'each slice is fetched from S3 once');

# a part behind 1 GiB

my $from = $layer->{size} - 1000;
my $r = $t->get("/v2/team/large/blobs/$layer->{digest}",
    Range => "bytes=$from-");

is($r->status, 206, 'its end');
is($r->length, 1000, 'its end - length');

finish();

###############################################################################
