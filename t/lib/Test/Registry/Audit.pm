package Test::Registry::Audit;

# Copyright (C) The ngx_registry_module authors

# Whether a bucket is true: no wrong bytes under any digest, no tag to a
# manifest that is missing, no manifest to a blob that is.  Whatever has
# happened to those who write, this holds.

###############################################################################

use warnings;
use strict;

use Digest::SHA qw/ sha256_hex sha512_hex /;
use Exporter qw/ import /;
use JSON::PP ();

our @EXPORT_OK = qw/ audit /;

my $Root = 'docker/registry/v2';

# data that has been looked at and not written since
my %Verified;

###############################################################################

# What is wrong in a bucket that has keys() and get(): lines, none if all is
# well.  Only what is below a prefix.

sub audit {
    my ($s3, $prefix) = @_;

    my $root = length($prefix // '') ? "$prefix/$Root" : $Root;
    my %keys = map { $_ => 1 } $s3->keys($root);
    my @wrong;

    for my $key (sort keys %keys) {

        if ($key =~ m{^\Q$root\E/blobs/(sha256|sha512)/(..)/(\w+)/data$}) {
            my ($algorithm, $folder, $hex) = ($1, $2, $3);
            my $version = "$key " . ($s3->can('version')
                ? $s3->version($key) : time());
            next if $Verified{$version};

            my $bytes = $s3->get($key) // '';
            my $is = $algorithm eq 'sha256' ? sha256_hex($bytes)
                : sha512_hex($bytes);

            push @wrong, "$key: wrong bytes" if $is ne $hex;
            push @wrong, "$key: wrong folder" if $folder ne substr $hex, 0, 2;
            $Verified{$version} = !@wrong;
            next;
        }

        next if $key !~ m{^(\Q$root\E/repositories/(.+?))/(_\w+)/(.+)/link$};
        my ($repository, $area, $rest) = ($1, $3, $4);

        my $digest = $s3->get($key) // '';

        if ($digest !~ /^(sha256|sha512):([0-9a-f]{64,128})$/) {
            push @wrong, "$key: no digest in it";
            next;
        }

        my $data = "$root/blobs/$1/" . substr($2, 0, 2) . "/$2/data";
        push @wrong, "$key: no $data" if !$keys{$data};

        next if $area ne '_manifests';
        next if !$keys{$data};

        push @wrong, "$key: no revision"
            if !$keys{"$repository/_manifests/revisions/$1/$2/link"};
        push @wrong, map { "$key: $_" } parts(\%keys, $repository,
            $s3->get($data)) if $rest =~ m{^revisions/};
    }

    return @wrong;
}


# What a manifest names and its repository does not have.

sub parts {
    my ($keys, $repository, $json) = @_;

    my $manifest = eval { JSON::PP->new->utf8->decode($json) }
        or return 'no JSON';
    my @missing;

    for (grep { defined } $manifest->{config}, @{$manifest->{layers} // []}) {
        my ($algorithm, $hex) = split /:/, $_->{digest};
        push @missing, "no $_->{digest}"
            if !$keys->{"$repository/_layers/$algorithm/$hex/link"}
                && !$_->{urls};
    }

    for (@{$manifest->{manifests} // []}) {
        my ($algorithm, $hex) = split /:/, $_->{digest};
        push @missing, "no $_->{digest}"
            if !$keys->{"$repository/_manifests/revisions/$algorithm/$hex/"
                . 'link'};
    }

    return @missing;
}

###############################################################################

1;

###############################################################################
