#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for sources of credentials that fail: each in each way, before there
# are keys and while there are; what the log says, and that service goes on.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Time::HiRes qw/ sleep time /;

use Test::Registry qw/ finish sanitized /;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Source;
use Test::Registry::Util qw/ temp_dir write_file wait_for /;

###############################################################################

my $s3 = Test::Registry::S3->new(access_key => 'NOBODY',
    secret_key => 'nothing');
my $layout = Test::Registry::Layout->new($s3);
my $dir = temp_dir('aws');
my @none = (AWS_ACCESS_KEY_ID => '', AWS_SECRET_ACCESS_KEY => '');
my $n = 0;

$layout->manifest('team/app', '{"schemaVersion":2}', "v$_") for 1 .. 99;

# each provider: how it fails when there are no keys yet

my $long = 'x' x 9000;
my $future = '2099-01-01T00:00:00Z';
my @keys = ('"AccessKeyId":"A"', '"SecretAccessKey":"S"', '"Token":"T"',
    qq("Expiration":"$future"));
my @imds = ('"Code":"Success"', @keys);

my $imds = qr{credentials/node-role$};
my $container = qr{^/v1/};

my @cases = (
    [ 'imds', 'no role', { set => { role => '' } },
        qr/no role is attached to the instance/ ],
    [ 'imds', 'token refused', { path => qr/token$/, status => 403 },
        qr/PUT .*status 403.*switched off/ ],
    [ 'imds', 'token slow', { path => qr/token$/, latency => 20 },
        qr/PUT .*no answer in time.*hop limit .* must be 2/ ],
    [ 'imds', 'token malformed', { path => qr/token$/, body => "a b\r\n" },
        qr/PUT .*no token/ ],
    [ 'imds', 'keys empty', { path => $imds, body => '' },
        qr/keys of the role.*not a JSON object/ ],
    [ 'imds', 'keys not JSON', { path => $imds, body => '<html>' },
        qr/keys of the role.*not a JSON object/ ],
    [ 'imds', 'Code', { path => $imds, body => '{"Code":"Failed",'
        . '"Message":"try later"}' }, qr/Failed: try later/ ],
    [ 'imds', 'no secret', { path => $imds, body =>
        json('"Code":"Success"', $keys[0], @keys[2, 3]) },
        qr/no SecretAccessKey/ ],
    [ 'imds', 'no token', { path => $imds, body =>
        json('"Code":"Success"', @keys[0, 1, 3]) }, qr/no Token/ ],
    [ 'imds', 'bad time', { path => $imds, body =>
        json('"Code":"Success"', @keys[0 .. 2], '"Expiration":"soon"') },
        qr/Expiration .* not a time/ ],
    [ 'imds', 'control characters', { path => $imds, body =>
        json('"Code":"Success"', '"AccessKeyId":"A\r\nB"', @keys[1 .. 3]) },
        qr/control characters/ ],
    [ 'imds', 'token too long', { path => $imds, body =>
        json('"Code":"Success"', @keys[0, 1], qq("Token":"$long"), $keys[3]) },
        qr/too long/ ],
    [ 'imds', 'gone', { stop => 1 }, qr/PUT .*: .*hop limit/ ],
    [ 'imds', 'closes', { path => $imds, close => 1 }, qr/answer was cut/ ],
    [ 'container', 'refused', { set => { pod_token => 'other' } },
        qr/status 401, AccessDeniedException: wrong token/ ],
    [ 'container', 'empty', { path => $container, body => '' },
        qr/not a JSON object/ ],
    [ 'container', '500', { path => $container, status => 500,
        body => 'oops' }, qr/status 500/ ],
    [ 'container', 'slow', { path => $container, latency => 20 },
        qr/no answer in time/ ],
    [ 'web', 'refused', { set => { web_token => 'other' } },
        qr/status 400, InvalidIdentityToken: wrong token/ ],
    [ 'web', 'empty', { path => qr{^/$}, body => '' }, qr/not one of STS/ ],
    [ 'web', 'a document type', { path => qr{^/$}, body =>
        '<!DOCTYPE a [<!ENTITY b "c">]><ErrorResponse/>' },
        qr/document type/ ],
    [ 'web', 'half', { path => qr{^/$}, body => '<AssumeRoleResponse>'
        . '<Credentials><AccessKeyId>A</AccessKeyId></Credentials>'
        . '</AssumeRoleResponse>' }, qr/no complete Credentials/ ],
    [ 'web', 'no token file', { env => { AWS_WEB_IDENTITY_TOKEN_FILE =>
        "$dir/none" } }, qr{"\Q$dir\E/none" cannot be read by user} ],
    [ 'web', 'empty token file', { env => { AWS_WEB_IDENTITY_TOKEN_FILE =>
        write_file("$dir/empty", "\n") } }, qr{/empty" is empty} ],
    [ 'web', 'no role', { env => { AWS_ROLE_ARN => '' } },
        qr/AWS_ROLE_ARN is not set/ ],
    [ 'profile', 'no such profile', { env => { AWS_PROFILE => 'ci' } },
        qr/no profile "ci" in/ ],
    [ 'profile', 'malformed', { env => { AWS_SHARED_CREDENTIALS_FILE =>
        write_file("$dir/bad", "[default]\nnonsense\n") } },
        qr/malformed/ ],
    [ 'profile', 'half a pair', { env => { AWS_SHARED_CREDENTIALS_FILE =>
        write_file("$dir/half", "[default]\naws_access_key_id=a\n") } },
        qr/one of both is missing/ ],
    [ 'profile', 'process fails', { profile => 'false' },
        qr/credential_process "false".*in 0 bytes of output/ ],
    [ 'profile', 'process is not there', { profile => "$dir/none" },
        qr/credential_process.*in 0 bytes/ ],
    [ 'profile', 'process hangs', { profile => 'sleep 60', wait => 14 },
        qr/has not ended within 9 s, and was killed/ ],
    [ 'profile', 'process, version 2', { profile =>
        q(echo '{"Version":2,"AccessKeyId":"A","SecretAccessKey":"S"}') },
        qr/no "Version": 1/ ],
    [ 'profile', 'process, open quote', { profile => q(echo 'x) },
        qr/a quote is not closed/ ],
    [ 'host', 'http of another host', { env => {
        AWS_CONTAINER_CREDENTIALS_FULL_URI => 'http://192.0.2.1/' } },
        qr/is http of a host that is neither/ ],
    [ 'host', 'https is no URI of ours', { env => {
        AWS_CONTAINER_CREDENTIALS_FULL_URI => 'gopher://127.0.0.1/' } },
        qr/no URI of http or https/ ],
);

for my $case (@cases) {
    my ($kind, $name, $how, $log) = @$case;

    my $source = Test::Registry::Source->new(web_token => 'web token');
    $source->rotate($s3);

    write_file("$dir/token", 'web token');
    write_file("$dir/config", "[default]\ncredential_process = "
        . ($how->{profile} // '') . "\n");

    my %env = $kind eq 'imds' ? $source->imds_env
        : $kind eq 'container' ? $source->container_env()
        : $kind eq 'web' ? $source->web_env("$dir/token")
        : $kind eq 'profile' ? (AWS_CONFIG_FILE => "$dir/config") : ();

    %env = (%env, %{$how->{env}}) if $how->{env};

    $source->set(%{$how->{set}}) if $how->{set};
    $source->stop() if $how->{stop};
    $source->fault(%$how) if $how->{path};

    my $t = Test::Registry->node($s3, probe => 0, env => { @none, %env });

    ok($t->wait_log(qr/\[error\].*registry: no credentials: .*$log/,
        $how->{wait} // 12), "$kind, $name - log")
        or diag($t->log());

    my $begun = time();
    my $r = $t->get('/v2/team/app/manifests/v1');

    is($r->status, 503, "$kind, $name - 503");
    like($r->message, qr/no credentials/, "$kind, $name - message");
    cmp_ok(time() - $begun, '<', 2, "$kind, $name - nobody waits any more");

    # a sanitizer needs longer than a master grants

    $t->stop(sanitized() ? 'QUIT' : 'TERM');
}

# a role that is attached later is found without a reload

my $late = Test::Registry::Source->new(role => '');
$late->rotate($s3);

my $t = Test::Registry->node($s3, probe => 0,
    env => { @none, $late->imds_env });
ok($t->wait_log(qr/no role is attached/), 'a role - not there');
sleep 3;
$late->set(role => 'node-role');
ok(wait_for(sub { $t->get('/v2/team/app/manifests/v1')->status == 200 }, 30),
    'a role - found within 30 seconds');
$t->stop();

# with keys: the source dies, hangs and comes back

my $source = Test::Registry::Source->new();
$source->rotate($s3, life => 4);
$t = Test::Registry->node($s3, workers => 2,
    env => { @none, $source->imds_env });

is($t->get('/v2/team/app/manifests/v1')->status, 200, 'with keys');

$source->fault(hang => 60);
ok($t->wait_log(qr/\[(?:warn|error)\].*no new credentials of IMDS.*stay.*PUT/,
    20), 'hangs - log');

my $slowest = 0;
for (1 .. 20) {
    my $r = $t->get('/v2/team/app/tags/list');
    is($r->status, 200, 'hangs - expired or not, S3 takes the keys')
        if $_ == 20;
    $slowest = $r->seconds if $r->seconds > $slowest;
    sleep 0.1;
}

cmp_ok($slowest, '<', 1, 'hangs - nobody waits');

# then S3 refuses them

my $old = $source->{state}{set};
$s3->key($old->{id}, secret => $old->{secret}, token => $old->{token},
    expired => 1);
sleep 2.1;

$t->mark();
is($t->get('/v2/team/app/manifests/v1')->status, 200,
    'refused - what is known is served');
my $r = $t->get('/v2/team/app/manifests/v50');
is($r->status, 503, 'refused - 503');
like($r->message, qr/ExpiredToken/, 'refused - message');
ok($t->wait_log(qr/ExpiredToken.*credentials of IMDS of \d+ seconds ago, /
    . qr/expired for .*the source fails: IMDS: PUT/),
    'refused - log with a hint')
    or diag($t->log());

# AccessDenied is something else

$source->clear_faults();
$source->rotate($s3);

ok(wait_for(sub { $t->get('/v2/team/app/manifests/v50')->status == 200 },
    30), 'comes back - served again, without a reload');

$source->forget();
$s3->fault(key => qr/v51/, error => 'AccessDenied');
is($t->get('/v2/team/app/manifests/v51')->status, 502, 'AccessDenied');
is($source->count(), 0, 'AccessDenied - the source is not asked');

# the region of the instance, when nobody says another one; keys may be there
# before it, and the first question is asked before it is known

my %named = (
    'its keys' => [ @none ],
    'other keys' => [ AWS_ACCESS_KEY_ID => $s3->access_key,
        AWS_SECRET_ACCESS_KEY => $s3->secret_key, AWS_SESSION_TOKEN => '' ],
);

for my $keys (sort keys %named) {
    my $region = Test::Registry->new(s3 => $s3,
        env => { @{$named{$keys}}, $source->imds_env });
    $region->conf(<<"CONF")->start();
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

    is($region->get('/v2/team/app/manifests/v2')->status, 200, "region of IMDS, $keys");
    like($region->log(), qr/the region is "eu-central-1", by IMDS/,
        "region of IMDS, $keys - log");
    like($region->log(), qr/region "eu-central-1".*ready/,
        "region of IMDS, $keys - the probe has waited");
    unlike($region->log(), qr/SignatureDoesNotMatch/,
        "region of IMDS, $keys - signed for it");
}

finish();

###############################################################################

sub json { return '{' . join(',', @_) . '}' }

###############################################################################
