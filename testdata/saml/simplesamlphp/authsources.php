<?php
$idp = json_decode(file_get_contents(getenv('SSP_FOLDER') . '/idp.json'), true);
$config = ['people' => ['exampleauth:UserPass'] + $idp['people']];
