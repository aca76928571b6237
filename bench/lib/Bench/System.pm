package Bench::System;

# Copyright (C) The ngx_registry_module authors

# What is measured: something that runs, has a port and serves the content of
# a bucket.  A system that is started has an empty cache.
#
#     start, stop, pids, port
#     blob_url, manifest_url, reference

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;

use Test::Registry::Util qw/ find_tool run_command clean_env /;

use Bench::Content;
use Bench::System::Distribution;
use Bench::System::Node;
use Bench::System::Plain;

our @EXPORT_OK = qw/ start_system system_title /;

# In this order they stand in tables.

our @NAMES = qw/ ours disk sync uncached distribution redirect debian plain aws /;

my %Systems = (
    ours => [ 'this registry', 'Bench::System::Node' ],
    disk => [ 'this registry, cache on the disk', 'Bench::System::Node',
        disk => 1 ],
    sync => [ 'this registry, cache on a slow disk', 'Bench::System::Node',
        sync => 1 ],
    uncached => [ 'this registry, blobs not cached', 'Bench::System::Node',
        uncached => 1 ],
    distribution => [ 'distribution %s, redirect off',
        'Bench::System::Distribution', program => 'registry' ],
    redirect => [ 'distribution %s, redirect on (its default)',
        'Bench::System::Distribution', program => 'registry', redirect => 1 ],
    debian => [ 'distribution %s (Debian), redirect off',
        'Bench::System::Distribution', program => 'docker-registry' ],
    plain => [ 'nginx serving the files', 'Bench::System::Plain' ],
    aws => [ 'aws s3 cp' ],
);

my %Versions;

###############################################################################

# The system of that name, running.  Options: see the classes.

sub start_system {
    my ($name, %opt) = @_;

    my (undef, $class, %own) = @{$Systems{$name}};

    return $class->start(%own, %opt);
}


sub system_title {
    my ($name) = @_;

    my ($title, undef, %own) = @{$Systems{$name} // return $name};
    my $program = $own{program} or return $title;

    $Versions{$program} //= (run_command([find_tool($program), '--version'],
        env => clean_env()))[1] =~ /(\d+(?:\.\d+)+)/ ? $1 : '';

    return sprintf $title, $Versions{$program};
}

###############################################################################

sub port { $_[0]{port} }
sub address { $_[0]{address} // '127.0.0.1' }


sub base {
    my ($self) = @_;

    return 'http://' . $self->address . ':' . $self->port;
}


sub blob_url {
    my ($self, $digest) = @_;

    return $self->base . "/v2/$Bench::Content::REPOSITORY/blobs/$digest";
}


# By tag or by digest.

sub manifest_url {
    my ($self, $reference) = @_;

    return $self->base
        . "/v2/$Bench::Content::REPOSITORY/manifests/$reference";
}


# As clients write it.

sub reference {
    my ($self, $tag) = @_;

    return $self->address . ':' . $self->port
        . "/$Bench::Content::REPOSITORY:$tag";
}

###############################################################################

1;

###############################################################################
