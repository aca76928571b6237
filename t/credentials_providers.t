#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for the providers of credentials: each by itself, and which one is
# chosen when there are others.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Source;
use Test::Registry::Util qw/ write_file temp_dir /;

###############################################################################

my $s3 = Test::Registry::S3->new(access_key => 'NOBODY',
    secret_key => 'nothing');
my $layout = Test::Registry::Layout->new($s3);
my $dir = temp_dir('aws');
my $n = 0;

$layout->manifest('team/app', '{"schemaVersion":2}', "v$_") for 1 .. 99;

my @none = (AWS_ACCESS_KEY_ID => '', AWS_SECRET_ACCESS_KEY => '');

# one server is all sources, each with a set of its own by its path

my $source = Test::Registry::Source->new(web_token => 'web token',
    pod_token => 'pod token', external_id => 'ext/id',
    keys => { AKIDBASE => { secret => 'base secret' } });
$source->rotate($s3);

my $arn = 'arn:aws:iam::123456789012:role/reader';
my $script = write_file("$dir/process", <<'SH');
#!/bin/sh
test "$1" = "two words" || exit 1
cat "$2"
SH
chmod 0755, $script;

my $set = $source->{state}{set};
write_file("$dir/process.json", qq({"Version":1,"AccessKeyId":"$set->{id}",)
    . qq("SecretAccessKey":"$set->{secret}","SessionToken":"$set->{token}",)
    . qq("Expiration":"$set->{expires}"}));

write_file("$dir/web-token", "web token\n");
write_file("$dir/pod-token", "pod token\n");
write_file("$dir/credentials", <<"INI");
[default]
aws_access_key_id = $set->{id}
aws_secret_access_key = $set->{secret}
aws_session_token = $set->{token}

[base]
aws_access_key_id = AKIDBASE
aws_secret_access_key = base secret
INI
chmod 0600, "$dir/credentials";
write_file("$dir/config", <<"INI");
[default]
output = json

[profile process]
credential_process = "$script" "two words" $dir/process.json

[profile role]
role_arn = $arn
source_profile = base
external_id = ext/id
duration_seconds = 1800
role_session_name = ci

[profile chain]
role_arn = $arn
external_id = ext/id
source_profile = middle

[profile middle]
role_arn = arn:aws:iam::123456789012:role/middle
external_id = ext/id
source_profile = base

[profile ec2]
role_arn = $arn
external_id = ext/id
credential_source = Ec2InstanceMetadata

[profile web]
role_arn = $arn
web_identity_token_file = $dir/web-token

[profile both]
role_arn = $arn
source_profile = base
web_identity_token_file = $dir/web-token

[profile sso]
sso_session = corp

[profile mfa]
role_arn = $arn
source_profile = base
mfa_serial = arn:aws:iam::123456789012:mfa/me
INI

my @files = (AWS_SHARED_CREDENTIALS_FILE => "$dir/credentials",
    AWS_CONFIG_FILE => "$dir/config");
my @sts = (AWS_ENDPOINT_URL_STS => $source->url);

# the role of the middle is what the role of the end is assumed with, and so
# is that of the instance

my %base = ($set->{id} => { secret => $set->{secret},
    token => $set->{token} }, AKIDBASE => { secret => 'base secret' });
$source->set(keys => \%base);

my $last = substr $set->{id}, -4;

for my $case (
    [ 'imds', 'IMDS', '', [ $source->imds_env ], qr/role "node-role"/ ],
    [ 'container', 'container', '',
        [ $source->container_env(AWS_CONTAINER_AUTHORIZATION_TOKEN =>
            'pod token') ], qr{/v1/credentials} ],
    [ 'container, token in a file', 'container', '',
        [ $source->container_env(AWS_CONTAINER_AUTHORIZATION_TOKEN =>
            'not this', AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE =>
            "$dir/pod-token") ], qr{/v1/credentials} ],
    [ 'web identity', 'web identity', '',
        [ $source->web_env("$dir/web-token") ], qr/role "\Q$arn\E"/ ],
    [ 'web identity by directive', 'web identity',
        "web_identity $arn $dir/web-token", [ @sts ], qr/role "\Q$arn\E"/ ],
    [ 'profile, keys', 'profile', '', [ @files ], qr/"default"/ ],
    [ 'profile by directive', 'profile', 'profile default', [ @files ],
        qr/"default"/ ],
    [ 'credential_process', 'profile', '',
        [ @files, AWS_PROFILE => 'process' ], qr/"process"/ ],
    [ 'role of another profile', 'profile', '',
        [ @files, @sts, AWS_PROFILE => 'role' ], qr/role "\Q$arn\E"/ ],
    [ 'roles in a chain', 'profile', '',
        [ @files, @sts, AWS_PROFILE => 'chain' ], qr/role "\Q$arn\E"/ ],
    [ 'role of the instance', 'profile', 'profile ec2',
        [ @files, @sts, $source->imds_env ], qr/role "\Q$arn\E"/ ],
    [ 'profile, web identity', 'profile', 'profile web', [ @files, @sts ],
        qr/role "\Q$arn\E"/ ],
    [ 'profile, web identity before another profile', 'profile',
        'profile both', [ @files, @sts ], qr/role "\Q$arn\E"/ ],
    [ 'web identity, a proxy for https', 'web identity', '',
        [ $source->web_env("$dir/web-token"),
            HTTPS_PROXY => 'http://127.0.0.1:9' ], qr/role "\Q$arn\E"/ ],
    [ 'file', 'file', "file $dir/credentials", [], qr/"default"/ ],
) {
    my ($name, $kind, $directive, $env, $detail) = @$case;

    $source->forget();
    $s3->forget();

    my $t = Test::Registry->node($s3, env => { @none, @$env },
        registry => $directive ? "registry_credentials $directive;" : '');

    is($t->get('/v2/team/app/manifests/v' . ++$n)->status, 200, $name);
    is($t->last_access(1)->{credentials_source}, $kind, "$name - variable");
    like($t->log(), qr/\[notice\].*credentials of $kind, .*$detail/,
        "$name - log");
    is($t->log_count(qr/registry: credentials of .*key \.\.\.$last, /), 1,
        "$name - one line");

    my ($last) = reverse $s3->requests(key => qr/link$/);
    is($last->{access_key}, $set->{id}, "$name - its key");

    $t->stop();
}

my ($assume) = $source->requests(method => 'POST');
is($assume, undef, 'a file needs no STS');

# the first one that is configured, with all the others there as well

my @all = (@files, @sts, $source->imds_env, $source->web_env("$dir/web-token"),
    $source->container_env(AWS_CONTAINER_AUTHORIZATION_TOKEN =>
        'pod token'));

$s3->key('AKIDENV', secret => 'env secret');

for my $case (
    [ 'environment', '', { @all, AWS_ACCESS_KEY_ID => 'AKIDENV',
        AWS_SECRET_ACCESS_KEY => 'env secret' } ],
    [ 'web identity', '', { @none, @all } ],
    [ 'profile', '', { @none, @all, AWS_WEB_IDENTITY_TOKEN_FILE => '' } ],
    [ 'container', '', { @none, @all, AWS_WEB_IDENTITY_TOKEN_FILE => '',
        AWS_SHARED_CREDENTIALS_FILE => "$dir/none" } ],
    [ 'IMDS', '', { @none, @all, AWS_WEB_IDENTITY_TOKEN_FILE => '',
        AWS_SHARED_CREDENTIALS_FILE => "$dir/none",
        AWS_CONTAINER_CREDENTIALS_FULL_URI => '' } ],
    [ 'IMDS', 'imds', { @all, AWS_ACCESS_KEY_ID => 'AKIDENV',
        AWS_SECRET_ACCESS_KEY => 'env secret' } ],
    [ 'environment', 'env', { @all, AWS_ACCESS_KEY_ID => 'AKIDENV',
        AWS_SECRET_ACCESS_KEY => 'env secret' } ],
    [ 'container', 'container', { @all, AWS_ACCESS_KEY_ID => 'AKIDENV',
        AWS_SECRET_ACCESS_KEY => 'env secret' } ],
) {
    my ($kind, $directive, $env) = @$case;

    my $t = Test::Registry->node($s3, env => $env,
        registry => $directive ? "registry_credentials $directive;" : '');

    is($t->get('/v2/team/app/manifests/v' . ++$n)->status, 200,
        "order - $kind $directive");
    is($t->last_access(1)->{credentials_source}, $kind,
        "order - $kind $directive - variable");
    $t->stop();
}

# what no key has: it would end the header, and be an error of S3 that nobody
# understands

for my $name (qw/ AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN /)
{
    my %env = (@all, AWS_ACCESS_KEY_ID => 'AKIDENV',
        AWS_SECRET_ACCESS_KEY => 'envsecret', AWS_SESSION_TOKEN => 'token');
    $env{$name} .= "\n";
    $s3->forget();

    my $t = Test::Registry->node($s3, env => \%env);

    is($t->get('/v2/team/app/manifests/v' . ++$n)->status, 503,
        "newline in $name");
    is($s3->count(), 0, "newline in $name - S3 is not asked");
    like($t->log(), qr/\[error\].*$name in the environment has a newline/,
        "newline in $name - log");
    $t->stop();
}

finish();

###############################################################################
