package Test::Registry::Endpoint;

# Copyright (C) The ngx_registry_module authors

# A bucket of a Test::Registry::Gateway, reached by another address.

###############################################################################

use warnings;
use strict;

use parent 'Test::Registry::Bucket';

###############################################################################

sub new {
    my ($class, $s3, $endpoint) = @_;

    return $class->SUPER::new(endpoint => $endpoint, map { $_ => $s3->{$_} }
        qw/ bucket region access_key secret_key token path_style /);
}


sub prefix { '' }
sub forget { $_[0] }

###############################################################################

1;

###############################################################################
