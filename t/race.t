#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for what several clients do at the same moment: whoever is first, the
# bucket is true and nothing is mixed.

###############################################################################

use warnings;
use strict;

use Test::More;

use Digest::SHA qw/ sha256_hex /;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::Audit qw/ audit /;
use Test::Registry::Client;
use Test::Registry::Directory qw/ store /;
use Test::Registry::Util qw/ random_bytes /;

###############################################################################

my $rounds = 20;
my $type = 'application/vnd.oci.image.manifest.v1+json';

my $s3 = store();
my $t = Test::Registry->node($s3, workers => 2, location => '
    registry_push on;
    registry_upload_path %%dir%%/uploads;
    client_max_body_size 0;');

# large enough for a multipart upload, and for a single write

my %contents = (small => random_bytes(100_000, 'small'),
    large => random_bytes(17 << 20, 'large'));

for my $clients (2, 8) {
    same_blob($clients);
    one_tag($clients);
    push_and_delete($clients);
    one_session($clients);
}

is(join("\n", audit($s3, $s3->prefix)), '', 'the bucket is true');
is(join(' ', $s3->uploads), '', 'no multipart upload is left open')
    unless $s3->{external};

finish();

###############################################################################

sub digest { return 'sha256:' . sha256_hex($_[0]) }
sub path { return $_[0]->header('Location') =~ s{^https?://[^/]+}{}r }
sub together { return Test::Registry::Client::together(map { [ $t->client, @$_ ] } @_) }


sub session {
    my ($repository) = @_;
    return path($t->request('POST', "/v2/$repository/blobs/uploads/",
        body => ''));
}


sub statuses {
    my %count;

    $count{$_->status}++ for @_;
    return join ' ', map { "$_:$count{$_}" } sort keys %count;
}


sub put_manifest {
    my ($repository, $tag, $manifest) = @_;

    return [ 'PUT', "/v2/$repository/manifests/$tag", body => $manifest,
        headers => [ 'Content-Type', $type ] ];
}


sub manifest_of {
    my ($config, $note) = @_;

    return sprintf '{"schemaVersion":2,"mediaType":"%s","config":{'
        . '"mediaType":"application/vnd.oci.image.config.v1+json",'
        . '"digest":"%s","size":%d},"layers":[],"annotations":{"n":"%s"}}',
        $type, digest($config), length $config, $note;
}


# The same blob from all of them, and it is one.

sub same_blob {
    my ($clients) = @_;

    my %seen;

    for my $round (1 .. $rounds) {
        my $name = $round > 18 ? 'large' : 'small';
        my $content = "$clients $round $contents{$name}";
        my @sessions = map { session("race/blob-$_") } 1 .. $clients;

        together(map { [ 'PATCH', $_, body => $content ] } @sessions);
        my @r = together(map { [ 'PUT', "$_?digest=" . digest($content),
            body => '' ] } @sessions);

        $seen{statuses(@r)}++;

        my $r = $t->client->request('GET', "/v2/race/blob-$clients/blobs/"
            . digest($content), digest => 1);
        $seen{'wrong bytes'}++ if $r->sha256 ne sha256_hex($content);
    }

    is_deeply(\%seen, { "201:$clients" => $rounds },
        "$clients clients, one blob");
    return;
}


# Manifests for one tag: it has one of them, whole, and all are there.

sub one_tag {
    my ($clients) = @_;

    my %seen;
    my $config = "config of $clients";
    $t->request('PUT', session('race/tag') . '?digest=' . digest($config),
        body => $config);

    for my $round (1 .. $rounds) {
        my @manifests = map { manifest_of($config, "$round $_") }
            1 .. $clients;
        my @r = together(map { put_manifest('race/tag', 'v1', $_) }
            @manifests);

        $seen{statuses(@r)}++;

        my $r = $t->get('/v2/race/tag/manifests/v1');
        $seen{'none of them'}++ unless grep { $_ eq $r->body } @manifests;

        for (@manifests) {
            $r = $t->get('/v2/race/tag/manifests/' . digest($_));
            $seen{'one is missing'}++ if $r->body ne $_;
        }
    }

    is_deeply(\%seen, { "201:$clients" => $rounds },
        "$clients clients, one tag");
    return;
}


# Half of them push what the other half deletes: manifests and their tags.

sub push_and_delete {
    my ($clients) = @_;

    my (%seen, @wrong);
    my $repository = "race/delete-$clients";

    for my $round (1 .. $rounds) {
        my $config = "config $clients $round";
        my $manifest = manifest_of($config, $round);
        my $digest = digest($manifest);

        $t->request('PUT', session($repository) . '?digest='
            . digest($config), body => $config);
        together(put_manifest($repository, 'v1', $manifest)) if $round % 2;

        my @delete = ("manifests/$digest", 'manifests/v1');

        my @r = together(map { $_ % 2
            ? put_manifest($repository, 'v1', $manifest)
            : [ 'DELETE', "/v2/$repository/"
                . $delete[($_ / 2 + $round) % @delete] ] } 1 .. $clients);

        $seen{$_->status}++ for @r;
        push @wrong, audit($s3, $s3->prefix);

        # pushed again it is there

        $t->request('PUT', session($repository) . '?digest='
            . digest($config), body => $config);
        @r = together(put_manifest($repository, 'v1', $manifest));
        push @wrong, 'not pushed again: ' . $r[0]->status
            if $r[0]->status != 201;
        push @wrong, 'not there' if $t->get("/v2/$repository/manifests/v1")
            ->body ne $manifest;
        $t->request('DELETE', "/v2/$repository/manifests/$digest");
    }

    is(join("\n", @wrong), '', "$clients clients push and delete - true");

    is(join(' ', grep { !/^(201|202|404)$/ } sort keys %seen), '',
        "$clients clients push and delete - statuses");
    cmp_ok($seen{201} // 0, '>', 0, "$clients clients push and delete - 201");
    cmp_ok($seen{202} // 0, '>', 0, "$clients clients push and delete - 202");
    return;
}


# One session and several that write to it: a piece is taken whole, or 416.

sub one_session {
    my ($clients) = @_;

    my %seen;

    for my $round (1 .. $rounds) {
        my $session = session('race/session');
        my @pieces = map { chr(64 + $_) x 300_000 } 1 .. $clients;
        my @r = together(map { [ 'PATCH', $session, body => $_, headers =>
            [ 'Content-Range', '0-299999' ] ] } @pieces);
        my @taken = grep { $r[$_]->status == 202 } 0 .. $#r;

        $seen{statuses(@r)}++;
        next if @taken != 1;

        my $content = $pieces[$taken[0]];
        my $r = $t->get($session);
        $seen{'wrong length'}++ if $r->header('Range') ne '0-299999';

        $r = $t->request('PUT', "$session?digest=" . digest($content),
            body => '');
        $seen{'mixed'}++ if $r->status != 201;
    }

    is_deeply(\%seen, { '202:1 416:' . ($clients - 1) => $rounds },
        "$clients clients, one session");
    return;
}

###############################################################################
