#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for names of S3 where nginx.conf has no "resolver": what /etc/hosts and
# /etc/resolv.conf say is used, each nginx here having its own.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::DNS;
use Test::Registry::Layout;
use Test::Registry::S3;
use Test::Registry::Util qw/
    need need_inside read_file run_command temp_dir wait_for write_file
/;

###############################################################################

# resolv.conf has no ports

use constant SERVER => '127.0.0.153';

need('netns');

my $dir = temp_dir('etc');
my $s3 = Test::Registry::S3->new();
my $layout = Test::Registry::Layout->new($s3);
my $dns = Test::Registry::DNS->new(host => SERVER, port => 53, lose => 2);

my @blobs = map { $layout->blob('team/app', "blob $_") } 1 .. 8;

# a question that got lost is asked again; words that are no address, and
# servers that are none, do no harm

etc('resolv.conf', <<"CONF");
# nameserver 127.0.0.1
search example.com
nameserver dns.example.com
nameserver fe80::1%eth0
options timeout:1
nameserver ${\ SERVER } ; ours
CONF
etc('hosts', "127.0.0.1 localhost\n#127.0.0.2 s3.test\n");

my $t = node('s3.test');

is(get(0)->status, 200, 'resolv.conf - a lost question');
is(scalar(grep { /^A s3\.test$/ } $dns->queries()), 2,
    'resolv.conf - asked again');

# an address that this host cannot send to is not tried

$dns->answer('255.255.255.255 127.0.0.1 255.255.255.255');
$t = node('s3.test');

is(join(' ', map { get($_)->status } 0 .. 3), '200 200 200 200',
    'address without a route');
unlike($t->log(), qr/255\.255/, 'address without a route - not tried');

# another resolv.conf, while the old one does not answer

$dns->answer('127.0.0.1');
etc('resolv.conf', "nameserver 127.0.0.154\n");
$t = node('s3.test');

is(get(0)->status, 503, 'dead name server - 503');

etc('resolv.conf', "nameserver ${\ SERVER }\n");
ok(wait_for(sub { get(0)->status == 200 }, 20), 'changed resolv.conf');

# addresses of a kind that this host does not have take no others away; the
# second server finds them in the resolver's cache, while it needs one

SKIP: {
    my $library = without_ipv6();

    $dns->answer('127.0.0.1');
    $t = pair($library);

    is($t->get("$_/v2/team/app/blobs/$blobs[4]")->status, 200,
        "before - $_/") for '', '/other';

    $dns->answer('::1');
    select undef, undef, undef, 5;
    is($t->get("/v2/team/app/blobs/$blobs[5]")->status, 200, 'no IPv6');
    select undef, undef, undef, 0.5;
    is($t->get("/other/v2/team/app/blobs/$blobs[6]")->status, 200,
        'no IPv6, at once');
    like($t->log(), qr/\[error\].*no address of a kind/, 'no IPv6 - log');
    $dns->answer('127.0.0.1');
}

# /etc/hosts comes first, and is enough

etc('resolv.conf', '');
etc('hosts', "::1 localhost\n127.0.0.1\tother  Images.Internal # S3\n");
$t = node('images.internal');

is(get(0)->status, 200, '/etc/hosts');

# RFC 6761: nobody is asked for these

for my $name ('localhost', 'images.localhost') {
    $t = node($name);
    is(get(0)->status, 200, $name);
}

unlike(join(' ', $dns->queries()), qr/local/, 'localhost - not asked for');

finish();

###############################################################################

sub get { return $t->get("/v2/team/app/blobs/$blobs[$_[0]]") }


# bound over the files of /etc, so that changes are seen in place

sub etc {
    my ($name, $content) = @_;

    write_file("$dir/$name", $content);
    return;
}


# A library that takes IPv6 from whoever loads it.

sub without_ipv6 {
    skip('a library cannot come before a sanitizer', 5)
        if Test::Registry::sanitized();

    write_file("$dir/no_ipv6.c", <<'C');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>

int socket(int domain, int type, int protocol) {
    int (*next)(int, int, int) = (int (*)(int, int, int)) dlsym(RTLD_NEXT,
                                                                "socket");
    errno = EAFNOSUPPORT;
    return domain == AF_INET6 ? -1 : next(domain, type, protocol);
}
C

    need_inside('cc', 5);
    run_command([qw/ cc -shared -fPIC -o /, "$dir/no_ipv6.so",
        "$dir/no_ipv6.c", '-ldl']);
    return "$dir/no_ipv6.so";
}


# Two stores behind one name, each with addresses of its own.

sub pair {
    my ($library) = @_;

    my $node = Test::Registry->new(s3 => $s3, probe => 0,
        endpoint => 'http://s3.test:' . $s3->port,
        env => { LD_PRELOAD => $library });

    $node->shipped('http');
    $node->shipped('server');

    for my $level ('http', 'server') {
        my $text = read_file($node->dir . "/registry_$level.conf");

        $text =~ s/([^\$])registry_s3/$1other/g;
        $text =~ s/nginx_registry/nginx_other/g;
        write_file($node->dir . "/other_$level.conf", $text);
    }

    return $node->conf(<<"CONF")->start();
%%main%%
events {}
http {
    %%http%%
    include %%dir%%/other_http.conf;
    resolver @{[ $dns->address ]} valid=3s;
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
}


sub node {
    my ($name) = @_;

    return Test::Registry->node($s3, probe => 0,
        endpoint => "http://$name:" . $s3->port,
        wrap => [ qw/ unshare -m sh -c /,
            'mount --bind "$0/hosts" /etc/hosts'
            . ' && mount --bind "$0/resolv.conf" /etc/resolv.conf'
            . ' && exec "$@"', $dir ]);
}

###############################################################################
