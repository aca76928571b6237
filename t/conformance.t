#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# The conformance suite of the OCI, in its profile 1.1 and in its strictest.

###############################################################################

use warnings;
use strict;

use Test::More;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Registry;
use Test::Registry::Directory qw/ store /;
use Test::Registry::Util qw/
    clean_env find_tool need run_command temp_dir write_file
/;

###############################################################################

need('conformance');

my $s3 = store();

my %profiles = (
    '1.1' => { OCI_VERSION => '1.1' },
    dev => { OCI_VERSION => 'dev', OCI_DATA_SPARSE => 'true' },
);

for my $profile (sort keys %profiles) {
    my $t = Test::Registry->node($s3, location => 'registry_push on;
        registry_upload_path %%dir%%/uploads; registry_sparse on;');

    my ($status, $output) = run_command([find_tool('conformance')],
        timeout => 120, env => { %{clean_env()}, %{$profiles{$profile}},
            OCI_REGISTRY => '127.0.0.1:' . $t->port, OCI_TLS => 'disabled',
            OCI_REPO1 => "conformance/one-$profile",
            OCI_REPO2 => "conformance/two-$profile",
            OCI_RESULTS_DIR => temp_dir("results-$profile") });

    is($status, 0, "$profile - exit status");
    like($output, qr/^OCI Conformance Result: Pass$/m, "$profile - Pass");

    my @lines = $output =~ /^(.*: (?:Pass|FAIL|Skip|Error))$/mg;

    cmp_ok(scalar(@lines), '>', 500, "$profile - tests")
        or diag(substr $output, -2000);
    is(join("\n", grep { !/: Pass$/ } @lines), '',
        "$profile - nothing failed, nothing skipped");
}

finish();

###############################################################################
