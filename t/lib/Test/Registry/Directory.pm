package Test::Registry::Directory;

# Copyright (C) The ngx_registry_module authors

# A directory as a store, looked at as the buckets of other tests are: keys,
# get, put, delete.
#
#     my $store = Test::Registry::Directory->new();
#     my $t = Test::Registry->node($store, location => 'registry_push on; ...');
#
# Tests that run on either kind of store take store(), which is a bucket unless
# TEST_REGISTRY_STORE is "dav".

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;
use File::Basename qw/ dirname /;
use File::Find qw/ find /;
use File::Path qw/ make_path /;
use Time::HiRes ();

use Test::Registry::Util qw/ temp_dir read_file write_file /;

our @EXPORT_OK = qw/ store local_store /;

my $Count = 0;

###############################################################################

# path: of a directory that exists

sub new {
    my ($class, %opt) = @_;

    my $path = $opt{path} // temp_dir('store-' . $Count++) . '/data';

    make_path($path);
    return bless { path => $path }, $class;
}


sub local_store { return ($ENV{TEST_REGISTRY_STORE} // '') eq 'dav' }


sub store {
    return Test::Registry::Directory->new() if local_store();

    require Test::Registry::Gateway;
    return Test::Registry::Gateway->new(@_);
}

###############################################################################

sub path { $_[0]{path} }
sub prefix { '' }
sub uploads { return }


# Nothing tells what was asked of it.

sub counts { 0 }
sub forget { $_[0] }


# What makes a registry of it, and the file that its server includes.

sub directives {
    my ($self) = @_;
    return "registry_store dav registry_dav;\nregistry_dav_path $self->{path};";
}


sub include { 'dav' }


sub put {
    my ($self, $key, $content) = @_;

    make_path(dirname("$self->{path}/$key"));
    write_file("$self->{path}/$key", $content);
    return $self;
}


sub get { my ($self, $key) = @_;
    return read_file("$self->{path}/$key");
}


sub delete { my ($self, $key) = @_;
    unlink "$self->{path}/$key";
    return $self;
}


sub keys {
    my ($self, $prefix) = @_;

    my @keys;

    # what others remove meanwhile is not there
    no warnings 'File::Find';
    find({ no_chdir => 1, wanted => sub {
        push @keys, substr $_, length($self->{path}) + 1 if -f;
    } }, $self->{path});

    @keys = sort grep { index($_, $prefix // '') == 0 } @keys;
    return @keys;
}


sub version {
    my ($self, $key) = @_;
    return join ' ', (Time::HiRes::stat("$self->{path}/$key"))[1, 7, 9, 10];
}

###############################################################################

1;

###############################################################################
