package Test::Registry::Bucket;

# Copyright (C) The ngx_registry_module authors

# A small S3 client, to fill and look into a bucket of any S3.

###############################################################################

use warnings;
use strict;

use HTTP::Tiny;

use Test::Registry::SigV4;
use Test::Registry::Util qw/ uri_unescape /;

###############################################################################

# endpoint, bucket, region, access_key, secret_key, token, path_style; the
# bucket is part of the path, or of the host of the endpoint

sub new {
    my ($class, %opt) = @_;

    return bless {
        path_style => 'on', %opt,
        http => HTTP::Tiny->new(timeout => 30)
    }, $class;
}


sub endpoint { $_[0]{endpoint} }
sub bucket { $_[0]{bucket} }
sub region { $_[0]{region} }
sub access_key { $_[0]{access_key} }
sub secret_key { $_[0]{secret_key} }
sub token { $_[0]{token} }
sub path_style { $_[0]{path_style} }


sub request {
    my ($self, $method, $key, %opt) = @_;

    my ($scheme, $host) = $self->{endpoint} =~ m{^(https?)://([^/]+)};
    my $path = "/$key";

    if ($self->{path_style} eq 'on') {
        $path = "/$self->{bucket}" . (length $key ? "/$key" : '');
    } else {
        $host = "$self->{bucket}.$host";
    }

    my ($target, $headers) = Test::Registry::SigV4::sign(method => $method,
        host => $host, path => $path, body => $opt{content},
        query => $opt{query}, headers => $opt{headers},
        (map { $_ => $self->{$_} }
            qw/ region access_key secret_key token /));

    delete $headers->{host};

    return $self->{http}->request($method, "$scheme://$host$target",
        { headers => $headers, content => $opt{content} });
}


sub try_request {
    my ($self, $method, $key, %opt) = @_;

    my $r = $self->request($method, $key, %opt);

    die "S3 $method $key: $r->{status} $r->{reason} $r->{content}\n"
        unless $r->{success};
    return $r;
}


sub put {
    my ($self, $key, $content) = @_;

    $self->try_request('PUT', $key, content => $content);
    return $self;
}


sub get { my ($self, $key) = @_;
    return $self->try_request('GET', $key)->{content};
}


sub delete {
    my ($self, $key) = @_;

    $self->try_request('DELETE', $key);
    return $self;
}


sub create {
    my ($self) = @_;

    my $r = $self->request('PUT', '');
    die "S3 cannot create $self->{bucket}: $r->{status} $r->{content}\n"
        unless $r->{success} || $r->{status} == 409;
    return $self;
}


# The keys that begin with $prefix, sorted.

sub keys {
    my ($self, $prefix) = @_;

    my @keys;
    my %query = ('list-type' => 2, prefix => $prefix // '');

    while (1) {
        my $xml = $self->try_request('GET', '', query => \%query)->{content};

        push @keys, map { s/&amp;/&/gr } $xml =~ m{<Key>([^<]*)</Key>}g;
        last if $xml !~ m{<IsTruncated>true};

        ($query{'continuation-token'}) =
            $xml =~ m{<NextContinuationToken>([^<]*)<}
            or die "S3 gives no continuation token\n";
    }

    @keys = sort @keys;
    return @keys;
}


# Multipart uploads that have begun: what a writer may have left behind.

sub uploads {
    my ($self) = @_;

    my $xml = $self->try_request('GET', '', query => { uploads => '' })
        ->{content};
    return $xml =~ m{<Upload>.*?<Key>([^<]*)</Key>}gs;
}

###############################################################################

1;

###############################################################################
