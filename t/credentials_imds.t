#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests with Amazon EC2 Metadata Mock, which hands out keys that have expired
# years ago: they are used until S3 refuses them, and the region is the
# instance's.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Util qw/
    need find_tool free_port spawn wait_port temp_dir clean_env
/;

need('ec2-metadata-mock');

# what the mock hands out, as its defaults say

my $s3 = Test::Registry::S3->new(access_key => '12345678901',
    secret_key => 'v/12345678901', region => 'us-east-1',
    token => 'TEST92test48TEST+y6RpoTEST92test48TEST/8oWVAiBqTEsT5Ky7ty2tEStx'
        . 'C1T==');
my $layout = Test::Registry::Layout->new($s3);
$layout->manifest('team/app', '{"schemaVersion":2}', "v$_") for 1 .. 9;

my $port = free_port();
my $log = temp_dir() . '/mock.log';
my $mock = spawn([find_tool('ec2-metadata-mock'), '-n', '127.0.0.1', '-p',
    $port, '-I'], log => $log, env => clean_env());
wait_port($port) or die "the mock does not start\n";

my $t = Test::Registry->new(s3 => $s3, workers => 2, env => {
    AWS_ACCESS_KEY_ID => '', AWS_SECRET_ACCESS_KEY => '',
    AWS_SESSION_TOKEN => '', AWS_EC2_METADATA_DISABLED => 'false',
    AWS_EC2_METADATA_SERVICE_ENDPOINT => "http://127.0.0.1:$port/" });
$t->conf(<<"CONF")->start();
%%main%%
events {}
http {
    %%http%%
    server {
        listen 127.0.0.1:%%port%%;
        %%server%%
        registry_s3_bucket images;
        registry_s3_endpoint @{[ $s3->endpoint ]};
        location /v2/ { registry on; }
    }
}
CONF

is($t->get('/v2/team/app/manifests/v1')->status, 200, 'a manifest');
like($t->log(), qr/the region is "us-east-1", by IMDS/, 'region');
like($t->log(), qr/\[warn\].*IMDS,\ role\ "baskinc-role",\ access\ key\ \.\.\.8901,
    \ have\ expired\ 20200402T/x, 'expired - log');

$t->reload();
is($t->get('/v2/team/app/manifests/v2')->status, 200, 'after a reload');

$mock->stop();
is($t->get('/v2/team/app/manifests/v3')->status, 200, 'without the mock');

finish();

###############################################################################
