#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests with Docker Engine as it is used on the host that writes: login, push,
# and what a node then gives to another engine.

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
use Test::Registry::Gateway;
use Test::Registry::Image;
use Test::Registry::Tools qw/ skopeo /;
use Test::Registry::Util qw/ temp_dir need read_file /;

###############################################################################

need(qw/ skopeo dockerd docker ctr gcc /);

my $name = 'docker-local.example.com';
host_name($name);

my $s3 = Test::Registry::Gateway->new(local => 1);
my $t = Test::Registry->jenkins($s3, jenkins => 'sesame');
my $node = Test::Registry->node($s3, ports => { '' => 5000 },
    registry => "registry_ns $name;");

my $host = '127.0.0.1:' . $t->port;
my $engine = Test::Registry::Engine->new();

my $image = Test::Registry::Image->new(
    layers => [ 1000, 3_000_000, 20_000_000 ], command => [ '/hello' ],
    files => { hello => [ static_program('pushed and run'), 0755 ] },
    architecture => architecture());

my $archive = temp_dir('archive') . '/image.tar';
my ($status, $output) = skopeo('copy', $image->write_dir(temp_dir('image')),
    "docker-archive:$archive:$host/team/app:v1");
is($status, 0, 'image for docker load') or diag $output;

($status, $output) = $engine->docker('load', '-i', $archive);
is($status, 0, 'docker load') or diag $output;

# without a password, with a wrong one, with the right one

($status, $output) = $engine->docker('push', "$host/team/app:v1");
isnt($status, 0, 'docker push without login');
like($output, qr/unauthorized|no basic auth credentials/,
    'docker push without login - says so');
is(join(' ', $s3->keys), '', 'docker push without login - nothing is written');

($status, $output) = $engine->docker('login', '-u', 'jenkins', '-p', 'wrong',
    $host);
isnt($status, 0, 'docker login with a wrong password');
# a newer one tells what it got when it tried again without TLS
like($output, qr/unauthorized|401|login attempt to http:\S+ failed/,
    'docker login with a wrong password - says');

($status, $output) = $engine->docker('login', '-u', 'jenkins', '-p', 'sesame',
    $host);
is($status, 0, 'docker login') or diag $output;

($status, $output) = $engine->docker('push', "$host/team/app:v1");
is($status, 0, 'docker push') or diag $output;
my ($digest) = $output =~ /digest: (sha256:\w+)/;
is(join(' ', $s3->uploads), '', 'docker push - no multipart upload left open');

# again, and under another name: the layers are mounted

($status, $output) = $engine->docker('push', "$host/team/app:v1");
is($status, 0, 'docker push again') or diag $output;
is(scalar(() = $output =~ /already exists/g), 4,
    'docker push again - layers are there') or diag $output;

$engine->docker('tag', "$host/team/app:v1", "$host/team/other:v1");
$s3->forget();
($status, $output) = $engine->docker('push', "$host/team/other:v1");
is($status, 0, 'docker push of another name') or diag $output;
is(scalar(() = $output =~ /Mounted from team\/app/g), 4,
    'docker push of another name - layers are mounted') or diag $output;
is($s3->count(operation => 'PutObject', key => qr{/blobs/.*/data$}), 2,
    'docker push of another name - config and manifest alone are data');

# a node that has never been asked, an engine that has none of it

$engine->docker('rmi', "$host/team/app:v1", "$host/team/other:v1");

for my $reference ("$name:5000/team/app:v1", "$name:5000/team/other:v1",
    "$name:5000/team/app\@$digest")
{
    ($status, $output) = $engine->docker('pull', $reference);
    is($status, 0, "docker pull $reference") or diag $output;
    like($output, qr/Digest: \Q$digest\E/, "docker pull $reference - digest");

    ($status, $output) = $engine->docker(qw/ run --rm --network none /,
        $reference);
    is($output, "pushed and run\n", "docker run $reference");
}

# an engine never pushes through a node

$engine->docker('tag', "$name:5000/team/app:v1", "$name:5000/team/node:v1");
$s3->forget();
($status, $output) = $engine->docker('push', "$name:5000/team/node:v1");
isnt($status, 0, 'docker push through a node');
is($s3->count(method => qr/PUT|POST|DELETE/), 0,
    'docker push through a node - S3 is not asked to write');

$engine->stop();
finish();

###############################################################################
