#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for configurations that nginx refuses: the message names the
# directive, its value, and what to do.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::Util qw/ write_file /;

###############################################################################

my $good = 'registry_s3_bucket images; registry_s3_region eu-central-1;';

# name; parts of the configuration; environment; what nginx says, or nothing
# if it takes it

my @cases = (
    [ 'a node', {}, {} ],
    [ 'region from AWS_REGION', { server => 'registry_s3_bucket images;' },
        { AWS_REGION => 'eu-central-1' } ],
    [ 'region from AWS_DEFAULT_REGION',
        { server => 'registry_s3_bucket images;' },
        { AWS_DEFAULT_REGION => 'eu-central-1' } ],
    [ 'http level', { http => $good, server => '' }, {} ],
    [ 'location level', { location => $good, server => '' }, {} ],
    [ 'endpoint from AWS_ENDPOINT_URL_S3', {},
        { AWS_ENDPOINT_URL_S3 => 'http://127.0.0.1:9000' } ],
    [ 'endpoint without a scheme, as distribution takes it',
        { more => 'registry_s3_endpoint minio:9000;' }, {} ],
    [ 'no registry at all', { registry => '', server => '',
        include_http => '', include_server => '' }, {} ],

    # what is missing

    [ 'no bucket', { server => 'registry_s3_region eu-central-1;' }, {},
        qr/registry_s3_bucket/ ],
    [ 'no region', { server => 'registry_s3_bucket images;' }, {},
        qr/no region for .*images.*registry_s3_region.*AWS_REGION/ ],
    [ 'no include, http', { include_http => '' }, {},
        qr/include registry_http\.conf/ ],
    [ 'no include, server', { include_server => '' }, {},
        qr/include registry_server\.conf/ ],
    [ 'includes of another version',
        { http => 'registry_include 99;' }, {},
        qr/registry_include 99.*version/ ],

    # what is wrong

    [ 'bucket with a slash', { server => 'registry_s3_bucket a/b; '
        . 'registry_s3_region eu-central-1;' }, {}, qr{bucket.*a/b} ],
    [ 'bucket as an ARN', { server => 'registry_s3_bucket '
        . 'arn:aws:s3:eu-central-1:111122223333:accesspoint/images; '
        . 'registry_s3_region eu-central-1;' }, {}, qr/ARN.*alias/i ],
    [ 'region with a blank', { server => 'registry_s3_bucket images; '
        . 'registry_s3_region "eu central";' }, {}, qr/region.*eu central/ ],
    [ 'endpoint with another scheme', { more =>
        'registry_s3_endpoint ftp://minio;' }, {},
        qr{endpoint.*ftp://minio} ],
    [ 'endpoint with a path and no scheme', { more =>
        'registry_s3_endpoint minio/path;' }, {},
        qr{endpoint.*https?://.*minio/path} ],
    [ 'endpoint with a query', { more =>
        'registry_s3_endpoint http://minio/?a=b;' }, {}, qr/endpoint/ ],
    [ 'endpoint with user and password', { more =>
        'registry_s3_endpoint http://u:p@minio;' }, {}, qr/endpoint/ ],
    [ 'endpoint with a bad port', { more =>
        'registry_s3_endpoint http://minio:99999;' }, {},
        qr/endpoint.*99999/ ],
    [ 'endpoint and dual stack', { more => 'registry_s3_endpoint '
        . 'http://minio:9000; registry_s3_dualstack on;' }, {},
        qr/dualstack.*endpoint|endpoint.*dual/i ],
    [ 'endpoint and FIPS', { more => 'registry_s3_endpoint '
        . 'http://minio:9000; registry_s3_fips on;' }, {},
        qr/fips.*endpoint|endpoint.*fips/i ],
    [ 'push', { location => 'registry_push on; '
        . 'registry_upload_path %%dir%%/uploads;' }, {} ],
    [ 'push without a folder', { location => 'registry_push on;' }, {},
        qr/registry_push on.*registry_upload_path/ ],
    [ 'push to two buckets', { location => 'registry_push on; '
        . 'registry_upload_path %%dir%%/uploads;', more =>
        'location /b/v2/ { registry on; registry_s3_bucket other; '
        . 'registry_push on; registry_upload_path %%dir%%/uploads-b; }' },
        {} ],
    [ 'push to two buckets by one folder', { more => 'registry_push on; '
        . 'registry_upload_path %%dir%%/uploads; '
        . 'location /b/v2/ { registry on; registry_s3_bucket other; }' }, {},
        qr{registry_upload_path .*/uploads.*other} ],
    [ 'push to a folder without a name', { location =>
        'registry_push on; registry_upload_path "";' }, {},
        qr/registry_upload_path.*folder/ ],
    [ 'push to what is no folder', { location =>
        'registry_push on; registry_upload_path %%dir%%/nginx.conf;' }, {},
        qr/registry_upload_path.*nginx\.conf.*folder/ ],
    [ 'uploads that expire at once', { location =>
        'registry_upload_expires 0;' }, {}, qr/registry_upload_expires/ ],
    [ 'tags of another kind', { location => 'registry_tags frozen;' }, {},
        qr/frozen.*registry_tags.*mutable.*immutable/ ],
    [ 'namespace that is no name', { location =>
        'registry_push_namespaces Team;' }, {},
        qr/Team.*registry_push_namespaces/ ],
    [ 'unknown store', { location => 'registry_store tape x;' }, {},
        qr/registry_store.*tape|tape.*registry_store/ ],
    [ 'store that is not included', { location =>
        'registry_store s3 elsewhere;' }, {}, qr{/elsewhere/} ],
    [ 'unknown credentials', { more => 'registry_credentials vault;' }, {},
        qr/vault.*registry_credentials/ ],
    [ 'file of credentials without a path', { more =>
        'registry_credentials file;' }, {}, qr/registry_credentials.*path/ ],
    [ 'header that the module signs', { more =>
        'registry_s3_header x-amz-date now all;' }, {},
        qr/x-amz-date.*itself/ ],
    [ 'header with a bad name', { more =>
        'registry_s3_header "x amz" now all;' }, {}, qr/registry_s3_header/ ],
    [ 'header without a name', { more => 'registry_s3_header "" now all;' },
        {}, qr/registry_s3_header/ ],
    [ 'header with two values', { more => 'registry_s3_header x-amz-acl a; '
        . 'registry_s3_header X-Amz-ACL b blob;' }, {},
        qr/registry_s3_header x-amz-acl.*twice/ ],
    [ 'header that nginx cannot await an answer to', { more =>
        'registry_s3_header Expect 100-continue write;' }, {},
        qr/Expect.*itself/ ],
    [ 'header for nothing', { more =>
        'registry_s3_header x-amz-request-payer requester reads;' }, {},
        qr/reads.*registry_s3_header/ ],
    [ 'flag of the environment', {}, { AWS_USE_FIPS_ENDPOINT => 'maybe' },
        qr/maybe.*AWS_USE_FIPS_ENDPOINT/ ],
    [ 'prefix that is too long', { more => 'registry_s3_prefix '
        . join('/', ('a' x 100) x 6) . ';' }, {}, qr/registry_s3_prefix/ ],
    [ 'shared memory of servers that there are not', { http =>
        'upstream own { zone own 64k; registry_upstream; server 127.0.0.1:9; }'
        }, {}, qr/upstream "own" in .*"zone"/ ],
    [ 'another choice of servers', { http =>
        'upstream own { registry_upstream; server 127.0.0.1:9; least_conn; }'
        }, {}, qr/upstream "own" in .*registry_upstream/ ],
    [ 'unknown parameter of the upstream', { http =>
        'upstream own { registry_upstream keep=4; server 127.0.0.1:9; }'
        }, {}, qr/keep=4.*registry_upstream/ ],
    [ 'two handlers', { location => 'proxy_pass http://127.0.0.1:9;' }, {},
        qr{registry on.*another handler.*/v2/} ],
    [ 'regular expression', { path => '~ ^/v2/' }, {},
        qr{registry on.*\^/v2/.*regular expression} ],
    [ 'exact location of the catalogue', { path => '= /v2/_catalog' }, {} ],
    [ 'part of the names', { path => '/v2/secret/' }, {} ],
    [ 'exact location of something else', { path => '= /_catalog' }, {},
        qr{registry on.*/v2/} ],
    [ 'exact location of nothing', { path => '= /' }, {},
        qr{registry on.*/v2/} ],
    [ 'exact location', { path => '= /v2/' }, {} ],
    [ 'location that no client asks for', { path => '/images/' }, {},
        qr{registry on.*/images/.*/v2/} ],
    [ 'location below a path', { path => '/team/v2/' }, {} ],
    [ 'location of everything', { path => '/' }, {} ],
    [ 'mirror as a URL', { more => 'registry_ns https://docker.io/;' }, {},
        qr{registry_ns.*docker\.io} ],
    [ 'header with a variable', { more =>
        'registry_s3_header x-amz-request-payer $http_x all;' }, {},
        qr/registry_s3_header.*http_x.*variables/ ],
    [ 'prefix with the layout in it', { more =>
        'registry_s3_prefix images/docker/registry/v2;' }, {},
        qr{registry_s3_prefix.*docker/registry/v2} ],
    [ 'prefix that goes up', { more => 'registry_s3_prefix ../images;' }, {},
        qr{registry_s3_prefix \.\./images} ],
    [ 'prefix with a blank', { more => 'registry_s3_prefix "my images";' }, {},
        qr{registry_s3_prefix my images} ],
    [ 'availability zone', { server => 'registry_s3_bucket images; '
        . 'registry_s3_region eu-central-1a;' }, {},
        qr/registry_s3_region.*availability zone/ ],
    [ 'same directive twice', { more => 'registry_s3_bucket other;' }, {},
        qr/registry_s3_bucket.*duplicate/ ],
);

# where nginx keeps the connections of every upstream the module takes its own
# back in silence

if (Test::Registry::nginx_before('1.29.7')) {
    push @cases, [ 'connections that nginx would keep', { http =>
        'upstream own { registry_upstream; server 127.0.0.1:9; keepalive 4; }'
        }, {}, qr/upstream "own" in .*keepalive/ ];
}

my $t = Test::Registry->new();

for (@cases) {
    my ($name, $conf, $env, $error) = @$_;
    my ($status, $output) = test_conf($conf, $env);

    if (!defined $error) {
        is($status, 0, $name) or diag $output;
        next;
    }

    my ($line) = $output =~ /^(.*\[emerg\].*)$/m;

    isnt($status, 0, "$name - refused");
    like($line, $error, "$name - message");
}

# a location of the store that clients could reach

my ($status, $output) = test_conf({ edit => sub { $_[0] =~
    s/(location \^~ \S+direct\S+ \{\s+)internal;/$1/r =~
    s/^(location \^~ \S+ \{\s+)internal;/$1/mr } }, {});

isnt($status, 0, 'store without "internal" - refused');
like($output, qr/\[emerg\].*must be .*internal/,
    'store without "internal" - message');

# what is only worth a warning

($status, $output) = test_conf({},
    { HTTPS_PROXY => 'http://127.0.0.1:3128' });

is($status, 0, 'HTTPS_PROXY - taken');
like($output, qr/\[warn\].*HTTPS_PROXY/, 'HTTPS_PROXY - warning');

# nothing has to be resolved or asked, and no secret is shown

($status, $output) = test_conf({ more =>
    'registry_s3_endpoint http://no.such.name.invalid:9000;' },
    { AWS_ACCESS_KEY_ID => 'AKIDX', AWS_SECRET_ACCESS_KEY => 'hush hush' });

is($status, 0, 'a name that nobody knows') or diag $output;

($status, $output) = Test::Registry::Util::run_command($t->command('-T'),
    env => Test::Registry::Util::clean_env(AWS_ACCESS_KEY_ID => 'AKIDX',
        AWS_SECRET_ACCESS_KEY => 'hush hush'));

is($status, 0, 'nginx -T');
unlike($output, qr/hush|AKIDX/, 'nginx -T - no secret');

# these are all about emergencies

$t->expect_log(qr/\[emerg\]/);
finish();

###############################################################################

sub test_conf {
    my ($conf, $env) = @_;

    my %c = (include_http => '%%include:http%%',
        include_server => '%%include:server%%', registry => 'registry on;',
        http => '', server => $good, location => '', more => '', path => '/v2/', %$conf);

    $t->{env} = $env;
    $t->conf(<<"CONF");
%%main%%
events {}
http {
    $c{include_http}
    $c{http}
    server {
        listen 127.0.0.1:%%port%%;
        $c{include_server}
        $c{server}
        $c{more}
        location $c{path} {
            $c{registry}
            $c{location}
        }
    }
}
CONF

    if ($c{edit}) {
        my $file = $t->dir . '/registry_server.conf';
        write_file($file,
            $c{edit}->(Test::Registry::Util::read_file($file)));
    }

    return $t->test_conf();
}

###############################################################################
