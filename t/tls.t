#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for S3 over TLS: a server that is not the right one gets nothing but
# a handshake.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::DNS;
use Test::Registry::Gateway;
use Test::Registry::Layout;
use Test::Registry::Relay;
use Test::Registry::Tools qw/ make_certificate /;
use Test::Registry::Util qw/ need /;

###############################################################################

need(qw/ openssl versitygw /);

my ($root) = make_certificate('root');
my ($stranger) = make_certificate('stranger');

my $san = 'IP:127.0.0.1,DNS:s3.test,DNS:*.s3.test';
my %certificate = (
    right => [ make_certificate('right', ca => 'root', san => $san) ],
    unknown => [ make_certificate('unknown', ca => 'stranger',
        san => $san) ],
    name => [ make_certificate('name', ca => 'root',
        san => 'DNS:other.example.com') ],
    expired => [ make_certificate('expired', ca => 'root', san => $san,
        days => -3) ],
    itself => [ make_certificate('itself') ],
);

my $dns = Test::Registry::DNS->new();

# what is in front of each; what the log says, if it is wrong

my %cases = (
    right => undef,
    unknown => qr/unable to (?:verify the first|get local issuer) certificate/,
    name => qr/certificate does not match "s3\.test"/,
    expired => qr/certificate has expired/,
    itself => qr/unsuitable certificate purpose|self.signed certificate/,
);

for my $case (sort keys %cases) {
    my $s3 = Test::Registry::Gateway->new(tls => $certificate{$case});

    fill($s3);

    my $relay = Test::Registry::Relay->new($s3->port);

    my $t = Test::Registry->node($s3, ca => $root, probe => 0,
        endpoint => 'https://s3.test:' . $relay->port,
        server => 'resolver ' . $dns->address . ' ipv6=off;');

    # nginx calls a failed handshake critical, which it is here
    $t->expect_log(qr/SSL_do_handshake\(\) failed/);

    my $r = $t->get('/v2/team/app/manifests/v1');

    if ($case eq 'right') {
        is($r->status, 200, 'right certificate');
        is($r->body, '{"schemaVersion":2}', 'right certificate - bytes');
        next;
    }

    like($r->status, qr/^50[23]$/, "$case - no answer");
    ok($r->code, "$case - error document");
    like($r->message, qr/certificate|TLS|connection failed/i,
        "$case - message");
    like($t->log(), $cases{$case}, "$case - log");
    like($t->log(), qr/\[error\].*registry: S3 GET/, "$case - log of ours");

    is($s3->count(), 0, "$case - no request");
    cmp_ok($relay->connections, '>', 0, "$case - was asked");
    cmp_ok($relay->data_bytes, '<', 200, "$case - only a handshake");
    unlike($relay->sent, qr/AWS4|x-amz|team/, "$case - nothing readable");
}

# the shipped configuration trusts the roots of the system, not this one

{
    my $s3 = Test::Registry::Gateway->new(tls => $certificate{right});
    my $t = Test::Registry->node($s3, probe => 0);

    $t->expect_log(qr/SSL_do_handshake\(\) failed/);
    isnt($t->get('/v2/team/app/manifests/v1')->status, 200,
        'roots of the system');
    is($s3->count(), 0, 'roots of the system - no request');
}

# two stores in one server, of which one trusts anybody: a connection of that
# one is not for the other

{
    my $s3 = Test::Registry::Gateway->new(tls => $certificate{unknown});
    my $t = Test::Registry->new(s3 => $s3, ca => $root, probe => 0);

    fill($s3);
    $t->shipped($_) for 'http', 'server';
    copy($t, $_) for 'http', 'server';

    $t->conf(<<'CONF')->start();
%%main%%
events {}
http {
    %%http%%
    include %%dir%%/other_http.conf;
    server {
        listen 127.0.0.1:%%port%%;
        %%server%%
        include %%dir%%/other_server.conf;
        %%registry%%
        location /v2/ { registry on; }
        location /other/v2/ { registry on; registry_store s3 other; }
    }
}
CONF

    $t->expect_log(qr/SSL_do_handshake\(\) failed/);

    is($t->get('/other/v2/team/app/manifests/v1')->status, 200,
        'a store that trusts anybody');
    is($t->get('/v2/team/app/manifests/v1')->status, 503,
        'one that does not, beside it');
}

finish();

###############################################################################

# An include file for another store, made as docs/directives.md says.

sub copy {
    my ($t, $level) = @_;

    my $text = Test::Registry::Util::read_file($t->dir
        . "/registry_$level.conf");

    $text =~ s/([^\$])registry_s3/$1other/g;
    $text =~ s/nginx_registry/nginx_other/g;
    $text =~ s/proxy_ssl_verify on/proxy_ssl_verify off/;

    Test::Registry::Util::write_file($t->dir . "/other_$level.conf", $text);
    return;
}


# Writes into the directory that versitygw serves, as if it had been put.

sub fill {
    my ($s3) = @_;

    require Test::Registry::Util;

    my $plain = bless { dir => $s3->data_dir }, 'DirectoryBucket';
    Test::Registry::Layout->new($plain)->manifest('team/app',
        '{"schemaVersion":2}', 'v1');
    return;
}

package DirectoryBucket;

sub put {
    my ($self, $key, $content) = @_;

    Test::Registry::Util::write_file("$self->{dir}/$key", $content);
    return;
}

###############################################################################
