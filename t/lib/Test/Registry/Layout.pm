package Test::Registry::Layout;

# Copyright (C) The ngx_registry_module authors

# Puts repositories into a bucket as CNCF distribution's S3 driver lays them
# out, with no registry in between.
#
#     my $layout = Test::Registry::Layout->new($s3);
#     my $digest = $layout->manifest('team/app', $json, 'latest');

###############################################################################

use warnings;
use strict;

use Digest::SHA qw/ sha256_hex /;

use Test::Registry::S3;
use Test::Registry::Util qw/ read_file /;

###############################################################################

sub new {
    my ($class, $s3, %opt) = @_;

    my $prefix = $opt{prefix} // ($s3->can('prefix') ? $s3->prefix : '');
    $prefix =~ s{/*$}{/} if length $prefix;

    return bless { s3 => $s3, root => $prefix . 'docker/registry/v2' },
        $class;
}


sub digest { my ($bytes) = @_;
    return 'sha256:' . sha256_hex($bytes);
}


# Keys of the layout.

sub blob_key {
    my ($self, $digest) = @_;

    my ($algorithm, $hex) = split /:/, $digest;
    return "$self->{root}/blobs/$algorithm/" . substr($hex, 0, 2)
        . "/$hex/data";
}


sub repository { my ($self, $name) = @_;
    return "$self->{root}/repositories/$name";
}


sub layer_key { my ($self, $name, $digest) = @_;
    return $self->repository($name) . '/_layers/' . ($digest =~ tr{:}{/}r)
        . '/link';
}


sub revision_key { my ($self, $name, $digest) = @_;
    return $self->repository($name) . '/_manifests/revisions/'
        . ($digest =~ tr{:}{/}r) . '/link';
}


sub tag_key { my ($self, $name, $tag) = @_;
    return $self->repository($name) . "/_manifests/tags/$tag/current/link";
}


sub tag_index_key { my ($self, $name, $tag, $digest) = @_;
    return $self->repository($name) . "/_manifests/tags/$tag/index/"
        . ($digest =~ tr{:}{/}r) . '/link';
}

###############################################################################

sub put { my ($self, @args) = @_;
    return $self->{s3}->put(@args);
}


# A blob that belongs to the repository; its digest.

sub blob {
    my ($self, $name, $bytes) = @_;

    my $digest = digest($bytes);

    $self->put($self->blob_key($digest), $bytes);
    $self->put($self->layer_key($name, $digest), $digest);
    return $digest;
}


# A blob of any size that a scripted S3 makes up as it is read.

sub generated {
    my ($self, $name, $size, $seed) = @_;

    my $digest = 'sha256:'
        . Test::Registry::S3->generated_sha256($size, $seed);

    $self->{s3}->put_generated($self->blob_key($digest), $size, $seed);
    $self->put($self->layer_key($name, $digest), $digest);
    return $digest;
}


# A manifest and its tags; its digest.

sub manifest {
    my ($self, $name, $bytes, @tags) = @_;

    my $digest = digest($bytes);

    $self->put($self->blob_key($digest), $bytes);
    $self->put($self->revision_key($name, $digest), $digest);
    $self->tag($name, $_, $digest) for @tags;
    return $digest;
}


sub tag {
    my ($self, $name, $tag, $digest) = @_;

    $self->put($self->tag_index_key($name, $tag, $digest), $digest);
    $self->put($self->tag_key($name, $tag), $digest);
    return;
}


# An image or an index of Test::Registry::Image with all it refers to.

sub image {
    my ($self, $name, $image, @tags) = @_;

    $self->image($name, $_) for $image->children;

    for my $blob ($image->blobs) {
        $self->put($self->blob_key($blob->{digest}),
            read_file($blob->{file}));
        $self->put($self->layer_key($name, $blob->{digest}),
            $blob->{digest});
    }

    return $self->manifest($name, $image->manifest, @tags);
}

###############################################################################

1;

###############################################################################
