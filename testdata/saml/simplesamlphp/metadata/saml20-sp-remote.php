<?php
$idp = json_decode(file_get_contents(getenv('SSP_FOLDER') . '/idp.json'), true);
if (isset($idp['sp'])) {
    $metadata[$idp['sp']['entityid']] = $idp['sp'];
}
