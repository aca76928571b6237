#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for "registry_tags immutable": a tag that exists stays where it is,
# whoever pushes, and a store that cannot promise that gets no tags.

###############################################################################

use warnings;
use strict;

use Test::More;

use Digest::SHA qw/ sha256_hex /;
use FindBin;
use JSON::PP ();
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::Client;
use Test::Registry::Gateway;
use Test::Registry::S3;

###############################################################################

my $type = 'application/vnd.oci.image.index.v1+json';

sub index_of { return qq({"schemaVersion":2,"mediaType":"$type",)
    . qq("manifests":[],"annotations":{"n":"$_[0]"}}) }
sub digest { return 'sha256:' . sha256_hex($_[0]) }

sub push_to {
    my ($t, $reference, $manifest) = @_;

    return $t->request('PUT', "/v2/team/app/manifests/$reference",
        body => $manifest, headers => [ 'Content-Type', $type ]);
}

sub host {
    my ($s3, %opt) = @_;

    my $tags = delete $opt{tags} // 'immutable';
    return Test::Registry->node($s3, workers => 1, %opt, location => "
        registry_push on;
        registry_upload_path %%dir%%/uploads;
        registry_tags $tags;");
}

sub tag_of {
    my ($t, $tag) = @_;
    return $t->head("/v2/team/app/manifests/$tag")
        ->header('Docker-Content-Digest') // 'none';
}

sub written { my ($s3) = @_;
    return map { $_->{key} } $s3->requests(method => 'PUT') }

# one host, on both kinds of S3

for my $s3 (Test::Registry::Gateway->new(), Test::Registry::S3->new()) {
    my $on = ref($s3) =~ /Gateway/ ? 'versitygw' : 'scripted S3';
    my $t = host($s3);
    my ($one, $two) = map { index_of($_) } 1, 2;

    is(push_to($t, 'v1', $one)->status, 201, "new tag, $on");
    is(push_to($t, 'v1', $one)->status, 201, "same manifest again, $on");

    my @before = $s3->keys($s3->can('prefix') ? $s3->prefix : ());
    my $r = push_to($t, 'v1', $two);

    is($r->status, 409, "another manifest, $on");

    my $error = JSON::PP->new->decode($r->body)->{errors}[0];
    is($error->{code}, 'DENIED', "another manifest - code, $on");
    like($error->{message}, qr/immutable.*"v1"/,
        "another manifest - names the tag, $on");
    is($error->{detail}, digest($one),
        "another manifest - says what it has, $on");
    is(tag_of($t, 'v1'), digest($one), "another manifest - not moved, $on");
    is_deeply([ $s3->keys($s3->can('prefix') ? $s3->prefix : ()) ], \@before,
        "another manifest - nothing is stored, $on");

    is(push_to($t, 'v2', $two)->status, 201, "another tag, $on");

    # tags in the query, of which one is taken

    my $three = index_of(3);
    $r = push_to($t, digest($three) . '?tag=v3&tag=v2', $three);
    is($r->status, 409, "two tags, one taken, $on");
    is(tag_of($t, 'v3'), 'none', "two tags, one taken - none is written, $on");

    $r = push_to($t, digest($three) . '?tag=v3&tag=v4', $three);
    is($r->status, 201, "two tags, $on");
    is(tag_of($t, 'v4'), digest($three), "two tags - both, $on");
    is(push_to($t, digest(index_of(4)), index_of(4))->status, 201,
        "no tag, $on");

    my $many = digest(index_of(5)) . '?' . join '&', map { "tag=m$_" } 1 .. 9;
    is(push_to($t, $many, index_of(5))->status, 201, "nine tags $_, $on")
        for 'once', 'again';

    # who deletes it may make it anew

    is($t->request('DELETE', '/v2/team/app/manifests/v1')->status, 202,
        "deleted, $on");
    is(push_to($t, 'v1', $two)->status, 201, "made anew, $on");
    is(tag_of($t, 'v1'), digest($two), "made anew - as it is now, $on");
}

# what S3 is asked: once for each worker whether it refuses

my $s3 = Test::Registry::S3->new();
my $t = host($s3);

push_to($t, 'v1', index_of(1));

my @links = grep { m{/_manifests/} } written($s3);
is(scalar(@links), 4, 'first tag - revision twice, index, current');
is($s3->count(status => 412), 1, 'first tag - refused once, as it must');

push_to($t, 'v2', index_of(2));
is($s3->count(status => 412), 1, 'second tag - not asked again');
is($s3->count(method => 'PUT', key => qr{/current/link$}), 2,
    'each tag is written once');

my ($current) = grep { $_->{key} =~ m{/v2/current/link$} }
    $s3->requests(method => 'PUT');
is($current->{headers}{'if-none-match'}, '*', 'on condition');

# stores without conditions

for my $mode (qw/ ignored refused /) {
    my $s3 = Test::Registry::S3->new();
    $s3->policy(conditional => $mode);
    my $t = host($s3);

    my $r = push_to($t, 'v1', index_of(1));
    is($r->status, 501, "conditions $mode");

    my $error = JSON::PP->new->decode($r->body)->{errors}[0];
    like($error->{message}, qr/immutable.*no conditional writes/,
        "conditions $mode - message");
    like($t->log, qr/\[error\].*"registry_tags immutable".*not 412.*mutable/,
        "conditions $mode - log names the directive");
    is(scalar(grep { m{/tags/} } $s3->keys), 0,
        "conditions $mode - no tag is written");
    is(push_to($t, digest(index_of(1)), index_of(1))->status, 201,
        "conditions $mode - manifests without a tag are taken");

    my $mutable = host($s3, tags => 'mutable');
    is(push_to($mutable, 'v1', index_of(1))->status, 201,
        "conditions $mode - mutable tags");
    is(push_to($mutable, 'v1', index_of(2))->status, 201,
        "conditions $mode - mutable tags are moved");
}

# the answer to the write is lost, and the retry refused: it is ours

$s3 = Test::Registry::S3->new();
$t = host($s3);
push_to($t, 'v0', index_of(0));
$s3->fault(method => 'PUT', key => qr{/v1/current/link$}, times => 1,
    cut_header => 0);

is(push_to($t, 'v1', index_of(1))->status, 201, 'lost answer');
is(tag_of($t, 'v1'), digest(index_of(1)), 'lost answer - the tag is ours');

# a link that is damaged is not overwritten

$s3->put('docker/registry/v2/repositories/team/app/_manifests/tags/bad/'
    . 'current/link', 'garbage');
is(push_to($t, 'bad', index_of(1))->status, 502, 'damaged link');

# two hosts at a time: one wins, the other is told

my @hosts = map { host($s3) } 1, 2;
my %count;

for my $round (1 .. 20) {
    my @manifests = map { index_of("$round.$_") } 0, 1;
    my @r = Test::Registry::Client::together(map {
        [ $hosts[$_]->client, 'PUT', "/v2/team/app/manifests/race-$round",
            body => $manifests[$_], headers => [ 'Content-Type', $type ] ]
    } 0, 1);
    my @status = map { $_->status } @r;

    $count{join ' ', sort @status}++;
    my ($winner) = grep { $status[$_] == 201 } 0, 1;

    is(tag_of($hosts[$_], "race-$round"),
        defined $winner ? digest($manifests[$winner]) : 'a winner',
        "round $round, host $_") for 0, 1;
}

is_deeply(\%count, { '201 409' => 20 }, 'exactly one wins each round');

finish();

###############################################################################
