package Test::Registry::Image;

# Copyright (C) The ngx_registry_module authors

# Builds images that clients really take: layers are gzipped tar archives,
# config and manifest name them rightly.  As OCI images or of Docker's
# version 2, schema 2.
#
#     my $image = Test::Registry::Image->new(layers => [ 1000, 2_000_000 ]);
#     my $index = Test::Registry::Image->index($image, $other);
#     $index->write_oci($dir, 'latest');

###############################################################################

use warnings;
use strict;

use Compress::Raw::Zlib;
use Digest::SHA qw/ sha256_hex /;
use File::Path qw/ make_path /;
use JSON::PP ();

use Test::Registry::Util qw/ temp_dir read_file write_file random_bytes /;

my %Types = (
    oci => {
        manifest => 'application/vnd.oci.image.manifest.v1+json',
        index => 'application/vnd.oci.image.index.v1+json',
        config => 'application/vnd.oci.image.config.v1+json',
        layer => 'application/vnd.oci.image.layer.v1.tar+gzip'
    },
    docker => {
        manifest => 'application/vnd.docker.distribution.manifest.v2+json',
        index => 'application/vnd.docker.distribution.manifest.list.v2+json',
        config => 'application/vnd.docker.container.image.v1+json',
        layer => 'application/vnd.docker.image.rootfs.diff.tar.gzip'
    },
);

my $Json = JSON::PP->new->utf8->canonical;
my $Count = 0;

###############################################################################

# type (oci, docker), layers: sizes of the file in each; seed: makes images
# differ; architecture; files: { path => [ content, mode ] } of one more
# layer; command: what a container runs

sub new {
    my ($class, %opt) = @_;

    my $self = bless {
        type => $opt{type} // 'oci', seed => $opt{seed} // 'image '
            . $Count++, architecture => $opt{architecture} // 'amd64',
        children => []
    }, $class;

    my $types = $Types{$self->{type}};
    my $n = 0;
    my @layers;

    push @layers, layer([ 'files/' . ++$n, $_, 0644,
        "$self->{seed} layer $n" ]) for @{$opt{layers} // []};

    if ($opt{files}) {
        push @layers, layer(map { [ $_, @{$opt{files}{$_}} ] }
            sort keys %{$opt{files}});
    }

    my $config = blob($Json->encode({
        architecture => $self->{architecture}, os => 'linux',
        created => '2024-11-05T10:11:12Z',
        config => { Env => [ 'PATH=/bin', "SEED=$self->{seed}" ],
            $opt{command} ? (Cmd => $opt{command}) : () },
        rootfs => { type => 'layers',
            diff_ids => [ map { $_->{diff_id} } @layers ] },
        history => [ map { { created => '2024-11-05T10:11:12Z',
            created_by => 'test' } } @layers ],
    }));

    $self->{config} = $config;
    $self->{layers} = \@layers;
    $self->{media_type} = $types->{manifest};
    $self->{manifest} = $Json->encode({
        schemaVersion => 2, mediaType => $types->{manifest},
        config => descriptor($config, $types->{config}),
        layers => [ map { descriptor($_, $types->{layer}) } @layers ]
    });

    return $self;
}


sub index {
    my ($class, @images) = @_;

    my $type = $images[0]{type};

    return bless {
        type => $type, children => \@images, layers => [],
        media_type => $Types{$type}{index},
        manifest => $Json->encode({
            schemaVersion => 2, mediaType => $Types{$type}{index},
            manifests => [ map { {
                mediaType => $_->{media_type}, digest => $_->digest,
                size => length $_->{manifest}, platform => {
                    os => 'linux', architecture => $_->{architecture} }
            } } @images ]
        })
    }, $class;
}


sub manifest { $_[0]{manifest} }
sub media_type { $_[0]{media_type} }
sub children { @{$_[0]{children}} }
sub layers { @{$_[0]{layers}} }
sub config { $_[0]{config} }
sub digest { 'sha256:' . sha256_hex($_[0]{manifest}) }


# What the manifest refers to and is no manifest: digest, size, file.

sub blobs {
    my ($self) = @_;
    return ($self->{config} ? $self->{config} : (), @{$self->{layers}});
}


# Everything an index needs, itself last.

sub manifests {
    my ($self) = @_;
    return ((map { $_->manifests } $self->children), $self);
}


sub descriptor {
    my ($blob, $type) = @_;

    return { mediaType => $type, digest => $blob->{digest},
        size => $blob->{size} };
}

###############################################################################

sub blob {
    my ($bytes) = @_;

    my $hex = sha256_hex($bytes);

    return {
        digest => "sha256:$hex", size => length $bytes,
        file => write_file(temp_dir('blobs') . "/$hex", $bytes)
    };
}


# A layer: a tar archive of [ path, content or size, mode, seed ].  With a
# seed the content is made up; it does not compress, and is not tried to.

sub layer {
    my (@files) = @_;

    my $file = temp_dir('blobs') . "/layer.$$." . $Count++;
    my $diff = Digest::SHA->new(256);
    my $sha = Digest::SHA->new(256);

    open my $fh, '>:raw', $file or die "$file: $!\n";

    my ($z) = Compress::Raw::Zlib::Deflate->new(-WindowBits => WANT_GZIP,
        -Level => Z_NO_COMPRESSION);

    my $write = sub {
        my ($data, $last) = @_;

        $diff->add($data);
        $z->deflate($data, my $out);
        $z->flush(my $tail) if $last;
        $out .= $tail // '';
        $sha->add($out);
        print {$fh} $out;
    };

    my %dirs;

    for (@files) {
        my ($path, $content, $mode, $seed) = @$_;
        my $size = defined $seed ? $content : length $content;

        for ($path =~ m{^(.+)/}) {
            $write->(tar_header("$_/", 0, 0755, '5')) unless $dirs{$_}++;
        }

        $write->(tar_header($path, $size, $mode // 0644, '0'));

        if (defined $seed) {
            my $part = random_bytes($size < 65536 ? $size : 65536, $seed);

            for (my $i = 0; $i < $size; $i += length $part) {
                $part = substr $part, 0, $size - $i
                    if $size - $i < length $part;
                $write->($part);
            }
        } else {
            $write->($content);
        }

        $write->("\0" x (-$size % 512)) if $size % 512;
    }

    $write->("\0" x 1024, 1);
    close $fh or die "$file: $!\n";

    my $hex = $sha->hexdigest;
    rename $file, temp_dir('blobs') . "/$hex";

    return {
        digest => "sha256:$hex", size => -s temp_dir('blobs') . "/$hex",
        diff_id => 'sha256:' . $diff->hexdigest,
        file => temp_dir('blobs') . "/$hex"
    };
}


sub tar_header {
    my ($path, $size, $mode, $type) = @_;

    my $header = pack 'a100 a8 a8 a8 a12 a12 A8 a1 a100 a6 a2 a32 a32 a8 a8 '
        . 'a155 x12', $path, sprintf('%07o', $mode), '0000000', '0000000',
        sprintf('%011o', $size), sprintf('%011o', 1730801472), '', $type, '',
        'ustar', '00', 'root', 'root', '0000000', '0000000', '';

    substr $header, 148, 8, sprintf "%06o\0 ", unpack '%32C*', $header;
    return $header;
}

###############################################################################

# An OCI layout, for "skopeo copy oci:$dir:$tag ..."

sub write_oci {
    my ($self, $dir, $tag) = @_;

    write_file("$dir/oci-layout", '{"imageLayoutVersion":"1.0.0"}');

    for my $image ($self->manifests) {
        write_blob("$dir/blobs/sha256", $_->{digest}, $_->{file})
            for $image->blobs;
        write_file("$dir/blobs/sha256/" . substr($image->digest, 7),
            $image->manifest);
    }

    write_file("$dir/index.json", $Json->encode({
        schemaVersion => 2, manifests => [ {
            mediaType => $self->media_type, digest => $self->digest,
            size => length $self->manifest, annotations => {
                'org.opencontainers.image.ref.name' => $tag }
        } ]
    }));

    return "oci:$dir:$tag";
}


# The bytes as they are, for "skopeo copy --all dir:$dir ..."; also for
# Docker's types.

sub write_dir {
    my ($self, $dir) = @_;

    write_file("$dir/version", "Directory Transport Version: 1.1\n");
    write_file("$dir/manifest.json", $self->manifest);

    for my $image ($self->manifests) {
        write_blob($dir, $_->{digest}, $_->{file}) for $image->blobs;
        write_file("$dir/" . substr($image->digest, 7) . '.manifest.json',
            $image->manifest) if $image != $self;
    }

    return "dir:$dir";
}


sub write_blob {
    my ($dir, $digest, $file) = @_;

    make_path($dir);
    my $to = "$dir/" . substr $digest, 7;
    link $file, $to or -e $to or write_file($to, read_file($file));
    return;
}


# Whether a directory that "skopeo copy ... dir:$dir" has written holds the
# same bytes; what differs otherwise.

sub compare_dir {
    my ($self, $dir) = @_;

    return 'manifest' if read_file("$dir/manifest.json") ne $self->manifest;

    for my $image ($self->manifests) {
        my $hex = substr $image->digest, 7;

        return "manifest $hex" if $image != $self
            && read_file("$dir/$hex.manifest.json") ne $image->manifest;

        for ($image->blobs) {
            my $hex = substr $_->{digest}, 7;
            return "no blob $hex" unless -f "$dir/$hex";
            return "blob $hex"
                if Digest::SHA->new(256)->addfile("$dir/$hex")->hexdigest
                    ne $hex;
        }
    }

    return '';
}

###############################################################################

1;

###############################################################################
