#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for an endpoint whose address changes while a blob is pulled, with
# dnsmasq as the resolver: what is asked from then on goes to the new address,
# without a reload.

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
    need find_tool free_port random_bytes spawn temp_dir wait_for write_file
    read_file
/;

###############################################################################

need('dnsmasq');

my $SIZE = 96 << 20;

my $dir = temp_dir('address');
my @s3 = Test::Registry::S3->new(host => '127.0.0.1');
push @s3, Test::Registry::S3->new(host => '127.0.0.2', port => $s3[0]->port);

my @layouts = map { Test::Registry::Layout->new($_) } @s3;
my $content = random_bytes(1 << 20, 'large') x ($SIZE >> 20);
my ($large) = map { $_->blob('team/app', $content) } @layouts;
my ($small) = map { $_->blob('team/app', 'small') } @layouts;

# free_port() keeps its numbers on 127.0.0.1

my $port = free_port();
my $names = names('127.0.0.1');
my $dns = spawn([ find_tool('dnsmasq'), '--keep-in-foreground', '--no-resolv',
    '--no-hosts', '--bind-interfaces', '--listen-address=127.0.0.53',
    "--port=$port", '--local-ttl=1', "--addn-hosts=$names", '--user=root',
    '--conf-file=/dev/null', '--log-facility=-', "--pid-file=$dir/pid" ],
    log => "$dir/log");

ok(wait_for(sub { -s "$dir/pid" }), 'dnsmasq') or diag read_file("$dir/log");

my $t = Test::Registry->node($s3[0], probe => 0,
    endpoint => 'http://s3.test:' . $s3[0]->port,
    server => "resolver 127.0.0.53:$port ipv6=off;",
    location => 'registry_slice_size 4m; registry_parallel 4;');

is($t->get("/v2/team/app/blobs/$small")->body, 'small', 'by name');
is($s3[1]->count(), 0, 'by name - at the first address');

# S3 moves, and serves under both addresses for a while

for my $s3 (@s3) {
    $s3->forget();
    $s3->fault(key => qr/data$/, rate => 3 << 20);
}

my $pull = start_pull('moved');

ok(wait_for(sub { $s3[0]->count(status => 206) >= 4 }, 10), 'a pull begins');

move('127.0.0.2');
ok(wait_for(sub { $s3[1]->count(range => qr/./) > 0 }, 15),
    'a slice comes from the new address');

# what a connection has been asked for comes over it, the next does not

my $before = $s3[0]->count();
is(result($pull), $large, 'the right bytes, in two places');
cmp_ok($s3[0]->count() - $before, '<=', 4, 'the old address is left');
cmp_ok($s3[1]->count(range => qr/./), '>=', 4, 'for the new one');

# S3 moves back, and nobody serves under the old address

$t->stop();
$t = Test::Registry->node($s3[0], probe => 0,
    endpoint => 'http://s3.test:' . $s3[0]->port,
    server => "resolver 127.0.0.53:$port ipv6=off;",
    location => 'registry_slice_size 4m; registry_parallel 4;');

$_->forget() for @s3;
$pull = start_pull('gone');

ok(wait_for(sub { $s3[1]->count(status => 206) >= 4 }, 10),
    'another pull begins');

$s3[1]->stop();
move('127.0.0.1');

is(result($pull), $large, 'the right bytes, though the old address is dead');
cmp_ok($s3[0]->count(range => qr/./), '>=', 4, 'from the new one');

finish();

###############################################################################

sub names {
    my ($address) = @_;

    write_file("$dir/names", "$address s3.test\n");
    return "$dir/names";
}


sub move {
    my ($address) = @_;

    names($address);
    kill 'HUP', read_file("$dir/pid") =~ /(\d+)/;
    return;
}


sub start_pull {
    my ($name) = @_;

    unlink "$dir/result";

    return spawn(sub {
        my $r = $t->request('GET', "/v2/team/app/blobs/$large", digest => 1,
            timeout => 90);

        write_file("$dir/result.new", $r->error || 'sha256:' . $r->sha256);
        rename "$dir/result.new", "$dir/result";
    }, log => "$dir/$name.log");
}


sub result {
    wait_for(sub { -e "$dir/result" }, 90);
    return -e "$dir/result" ? read_file("$dir/result") : 'no end';
}
