#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for keys: from the environment, from a file, renewed, and kept out of
# every log.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Util qw/ wait_for write_file read_file temp_dir /;

###############################################################################

my $s3 = Test::Registry::S3->new();
my $layout = Test::Registry::Layout->new($s3);

$layout->manifest('team/app', '{"schemaVersion":2}', $_) for 'v1' .. 'v9';

my $token = 'token/' . 'x' x 1000 . '==';
$s3->key('AKIDTOKEN', secret => 'secret of the token', token => $token);

# the environment, with a session token

my $t = Test::Registry->node($s3, env => {
    AWS_ACCESS_KEY_ID => 'AKIDTOKEN', AWS_SESSION_TOKEN => $token,
    AWS_SECRET_ACCESS_KEY => 'secret of the token' });

is($t->get('/v2/team/app/manifests/v1')->status, 200, 'session token');

my ($request) = $s3->requests();
is($request->{headers}{'x-amz-security-token'}, $token,
    'session token - sent');

# it outlives reload and upgrade

$t->reload();
is($t->get('/v2/team/app/manifests/v2')->status, 200, 'after reload');
$t->upgrade();
is($t->get('/v2/team/app/manifests/v3')->status, 200, 'after upgrade');
$t->reload();
is($t->get('/v2/team/app/manifests/v4')->status, 200,
    'after upgrade and reload');

# none at all: nginx runs, and says what is missing

my $none = Test::Registry->node($s3, probe => 0, env => {
    AWS_ACCESS_KEY_ID => '', AWS_SECRET_ACCESS_KEY => '' });
my $r = $none->get('/v2/team/app/manifests/v1');

is($r->status, 503, 'no keys - 503');
is($r->code, 'UNAVAILABLE', 'no keys - code');
like($r->message, qr/credentials/, 'no keys - message');
like($none->log(), qr/registry: .*credentials.*registry_credentials/,
    'no keys - log');

# a file, in AWS's format

my $file = temp_dir('aws') . '/credentials';
my $ours = "aws_access_key_id = AKIDFILE\naws_secret_access_key=file secret\n";

$s3->key('AKIDFILE', secret => 'file secret');
$s3->key('AKIDNEXT', secret => 'next secret', token => 'next token');

keys_file("[default]\n$ours");
my $default = Test::Registry->node($s3,
    registry => "registry_credentials file $file;", env => {});

is($default->get('/v2/team/app/manifests/v1')->status, 200, 'file');
is(($s3->requests(access_key => 'AKIDFILE'))[0]{status}, 200,
    'file - its key');

keys_file("# comment\n[default]\naws_access_key_id=AKIDNOT\n"
    . "aws_secret_access_key=x\n\n[node]\n$ours");
my $profile = Test::Registry->node($s3,
    registry => "registry_credentials file $file node;");
is($profile->get('/v2/team/app/manifests/v1')->status, 200,
    'profile in a file');

# the file changes: the new keys are used

keys_file("[node]\naws_access_key_id = AKIDNEXT\n"
    . "aws_secret_access_key = next secret\naws_session_token = next token\n");
$s3->key('AKIDFILE');
$s3->forget();

is($profile->get('/v2/team/app/manifests/v2')->status, 200,
    'keys are changed, the old ones are refused');
ok($s3->count(access_key => 'AKIDNEXT'), 'keys are changed - new ones used');

# the file is away for a while

unlink $file;
is($profile->get('/v2/team/app/manifests/v3')->status, 200,
    'file is away - keys stay');

# nobody knows the key any more; what was served still is

$s3->key('AKIDNEXT', secret => 'next secret', token => 'next token',
    expired => 1);
select undef, undef, undef, 2.1;

is($profile->get('/v2/team/app/manifests/v3')->status, 200,
    'expired - stale');
$r = $profile->get('/v2/team/app/manifests/v4');
is($r->status, 503, 'expired - 503 for what was not seen');
like($r->message, qr/ExpiredToken/, 'expired - message');

keys_file("[node]\n$ours");
$s3->key('AKIDFILE', secret => 'file secret');
ok(wait_for(sub { $profile->get('/v2/team/app/manifests/v4')->status == 200 },
    5), 'renewed');

# the clock of S3 is what counts

for my $offset (3600, -7200, 0) {
    $s3->clock($offset);
    $layout->manifest('team/app', '{"schemaVersion":2}', "clock$offset");

    is($t->get("/v2/team/app/manifests/clock$offset")->status, 200,
        "clock of S3 is $offset seconds ahead");
}

like($t->log(), qr/\[warn\].*clock of this host/, 'clock - log');

# each store has a clock of its own

my $late = Test::Registry::S3->new(map { $_ => $s3->$_ }
    qw/ access_key secret_key token /);
my $lately = Test::Registry::Layout->new($late);

$late->clock(3600);

my $both = Test::Registry->new(s3 => $s3);
$both->conf(<<"CONF")->start();
%%main%%
events {}
http {
    %%http%%
    server {
        listen 127.0.0.1:%%port%%;
        %%server%%
        registry_s3_bucket images;
        registry_s3_region eu-central-1;
        registry_s3_endpoint @{[ $s3->endpoint ]};
        location /v2/ { registry on; }
        location /late/v2/ {
            registry on;
            registry_s3_endpoint @{[ $late->endpoint ]};
        }
    }
}
CONF

for my $n (1 .. 3) {
    $_->manifest('team/app', '{"schemaVersion":2}', "both$n")
        for $layout, $lately;

    is($both->get("$_/v2/team/app/manifests/both$n")->status, 200,
        "clocks of two stores, $n, $_") for '', '/late';
}

is(scalar(() = $both->log() =~ /clock of this host/g), 1,
    'clocks of two stores - log');

# secrets appear nowhere

for my $node ($t, $none, $default, $profile) {
    my $logs = read_file($node->dir . '/error.log')
        . read_file($node->dir . '/access.log')
        . read_file($node->dir . '/stderr');

    unlike($logs, qr/secret of the token|file secret|next secret|next token/,
        'no secret in a log');
    unlike($logs, qr/\Q$token\E/, 'no token in a log');
    unlike($logs, qr/Signature=[0-9a-f]/, 'no signature in a log');
}

finish();

###############################################################################

sub keys_file {
    my ($content) = @_;

    # as programs renew it: by rename
    write_file("$file.new", $content);
    chmod 0600, "$file.new";
    rename "$file.new", $file;
    return;
}

###############################################################################
