#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for the conformance suite of the OCI, as in conformance.t, on a local store.

###############################################################################

use warnings;
use strict;

use FindBin;

$ENV{TEST_REGISTRY_STORE} = 'dav';

do "$FindBin::Bin/conformance.t";
die $@ if $@;

###############################################################################
